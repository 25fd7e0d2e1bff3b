using CnnSpec.Operators;
using CnnSpec.Text;
using Microsoft.FSharp.Collections;
using Microsoft.FSharp.Core;

namespace CnnSpec.Cli;

/// <summary>Spec files read from disk and compiled.</summary>
public static class SpecFile
{
    /// <summary>What the command line changes in a spec.</summary>
    public sealed record Settings(IReadOnlyList<(string Name, string Value)> Set, long[]? Input)
    {
        public static readonly Settings None = new([], null);
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
            .. Directory
                .EnumerateFiles(path, "*", SearchOption.AllDirectories)
                .Where(file => Path.GetExtension(file) is ".cnn" or ".yaml" or ".yml")
                .Where(file => !ExpectsErrors(file, path))
                .Order(StringComparer.Ordinal),
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

    private static Compile.Options OptionsFor(Settings settings) =>
        new(
            ListModule.OfSeq(settings.Set.Select(set => Tuple.Create(set.Name, set.Value))),
            settings.Input is { } shape
                ? FSharpOption<FSharpList<long>>.Some(ListModule.OfSeq(shape))
                : FSharpOption<FSharpList<long>>.None,
            FSharpFunc<string, FSharpResult<byte[], string>>.FromConverter(ReadImport)
        );

    private static FSharpResult<byte[], string> ReadImport(string path)
    {
        try
        {
            return FSharpResult<byte[], string>.NewOk(Read(path));
        }
        catch (InputError error)
        {
            return FSharpResult<byte[], string>.NewError(error.Message);
        }
    }

    private static byte[] Read(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new InputError(
                $"there is no file {path}",
                "check the path; 'cnnspec check specs' checks a whole folder",
                e
            );
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InputError($"{path} cannot be read", "check that it is a file and that you may read it", e);
        }
    }
}
