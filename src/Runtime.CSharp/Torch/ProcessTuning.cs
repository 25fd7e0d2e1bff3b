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
    /// operation of a step, to wake for which would take longer than the gap. libgomp's own default is thirty times as long,
    /// in which nothing else gets its turn.</summary>
    private const string Spins = "10000";

    /// <summary>Where other programs run too, a thread waits for one that does not run: then spinning takes the processor from
    /// the very thread that is waited for.</summary>
    private const string SpinsBesideOthers = "1000";

    /// <summary>Call it before libtorch loads, whose OpenMP reads the environment once.</summary>
    public static void Apply()
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = SetEnvironment("GOMP_SPINCOUNT", OthersRun() ? SpinsBesideOthers : Spins, overwrite: 0);
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

    /// <summary>Whether something else than this wants a processor, in each of a few looks.</summary>
    private static bool OthersRun()
    {
        const int looks = 5;
        try
        {
            for (int look = 0; look < looks; look++)
            {
                // 0.20 0.18 0.12 RUNNING/ALL LAST, and one of those that run is this thread.
                string[] load = File.ReadAllText("/proc/loadavg").Split(' ');
                if (load.Length < 4 || !int.TryParse(load[3].Split('/')[0], out int running) || running < 2)
                    return false;
                Thread.Sleep(1);
            }
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int MallocOption(int parameter, int value);
}
