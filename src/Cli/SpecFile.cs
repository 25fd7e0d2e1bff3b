using CnnSpec.Data;
using CnnSpec.Elaborate;
using CnnSpec.Runtime.Training;
using CnnSpec.Text;

namespace CnnSpec.Cli;

/// <summary>Spec files read from disk and compiled.</summary>
public static class SpecFile
{
    /// <summary>What the command line changes in a spec.</summary>
    public sealed record Settings(IReadOnlyList<(string Name, string Value)> Set, long[]? Input)
    {
        public static readonly Settings None = new([], null);

        /// <summary>What recipes are checked against; null where changed parameters decide.</summary>
        public RecipeData? Data { get; init; }
    }

    /// <summary>Compiles the file. Diagnostics are in the result; only a file that cannot be read at all throws.</summary>
    /// <exception cref="InputError">The file is missing or unreadable.</exception>
    public static Compile.Compilation Open(string path, Settings settings) =>
        Compile.bytes(OptionsFor(settings), path, Read(path));

    /// <summary>A spec without errors under other settings.</summary>
    public static Compile.Compilation Again(Compile.Compilation compilation, Settings settings) =>
        Compile.again(OptionsFor(settings), compilation);

    /// <summary>
    /// A folder with a file of this name holds specs that are wrong on purpose (examples of mistakes, golden tests of
    /// diagnostics). They are checked when they are named, not when a folder above them is.
    /// </summary>
    private const string ExpectErrors = ".expect-errors";

    /// <summary>The spec files that an argument names: itself, or all below a folder in the order of their names.</summary>
    /// <exception cref="InputError">There is no such file or folder, or none in it.</exception>
    public static IReadOnlyList<string> Find(string path)
    {
        if (!Directory.Exists(path))
            return [path];
        string[] files =
        [
            .. FolderWalk
                .AllFiles(path)
                .Where(file => Path.GetExtension(file).ToLowerInvariant() is ".cnn" or ".yaml" or ".yml")
                .Where(file => !ExpectsErrors(file, path)),
        ];
        return files.Length > 0
            ? files
            : throw new InputError($"{path} has no .cnn or .yaml file in it", "name a spec file, or a folder of them");
    }

    /// <summary>Whether a folder between the file and the one that was named says that its specs are wrong.</summary>
    private static bool ExpectsErrors(string file, string named)
    {
        for (
            string? folder = Path.GetDirectoryName(file);
            folder?.Length > named.TrimEnd(Path.DirectorySeparatorChar).Length;
            folder = Path.GetDirectoryName(folder)
        )
        {
            if (File.Exists(Path.Combine(folder, ExpectErrors)))
                return true;
        }
        return false;
    }

    private static CompileOptions OptionsFor(Settings settings)
    {
        var options = CompileOptions
            .From(settings.Set.Select(set => KeyValuePair.Create(set.Name, set.Value)), settings.Input!, ReadImport)
            .WithFolder(DataSources.Look);
        return settings.Data is { } data ? options.WithData(data) : options;
    }

    private static byte[]? ReadImport(string path) => File.Exists(path) ? Read(path) : null;

    /// <summary>What stands for standard input on a command line.</summary>
    private const string StandardInput = "-";

    private static byte[] Read(string path)
    {
        if (path == StandardInput)
            return ReadStandardInput();
        if (!File.Exists(path) && !Directory.Exists(path))
            throw new InputError(
                $"there is no file {path}",
                "check the path; 'cnnspec check specs' checks a whole folder"
            );
        return AtomicFile.Read(path);
    }

    private static byte[] ReadStandardInput()
    {
        // A byte more than a spec may have: the compiler says so then.
        var buffer = new byte[SourceFile.largest + 1];
        using var input = Console.OpenStandardInput();
        int read = input.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        return buffer[..read];
    }
}
