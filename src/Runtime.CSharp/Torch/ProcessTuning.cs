using System.Runtime.InteropServices;

namespace CnnSpec.Runtime;

/// <summary>
/// Two settings of the C libraries below libtorch that decide much of its speed on a processor of few cores. They are the
/// whole process's, so a program asks for them; what the user set in the environment stays.
/// </summary>
public static partial class ProcessTuning
{
    // glibc's mallopt, <malloc.h>.
    private const int TrimThreshold = -1;
    private const int MmapMax = -4;

    /// <summary>Waiting threads of an operation spin this often before they sleep: long enough to be awake for the next
    /// operation of a step, to wake for which would take longer than the gap. They do sleep, so that whatever else runs beside
    /// the training gets its turn; libgomp's own default is three times as long.</summary>
    private const string Spins = "100000";

    /// <summary>Call it before libtorch loads, whose OpenMP reads the environment once.</summary>
    public static void Apply()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = SetEnvironment("GOMP_SPINCOUNT", Spins, overwrite: 0);
            // Activations of many megabytes are freed and wanted again every step. By default each goes back to the
            // kernel and comes back as fresh pages, whose faults cost a third of the time.
            _ = MallocOption(MmapMax, 0);
            _ = MallocOption(TrimThreshold, int.MaxValue);
        }
        catch (EntryPointNotFoundException)
        {
            // Another C library, such as musl, has no mallopt: slower, not wrong.
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int MallocOption(int parameter, int value);
}
