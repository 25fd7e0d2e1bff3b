// Checks specs while a project is built: CnnSpec.Check STAMP FILE...
// What is wrong is written as compilers write it, which MSBuild and every editor read. STAMP is written where nothing is
// wrong, with the files that were read, so that the next build knows when to check again.
using CnnSpec;

string stamp = args[0];
var read = new SortedSet<string>(StringComparer.Ordinal);
bool failed = false;
foreach (string path in args[1..])
{
    string full = Path.GetFullPath(path);
    read.Add(full);
    try
    {
        var spec = Spec.Load(full, new SpecOptions { Import = Import });
        foreach (var diagnostic in spec.Diagnostics)
            Console.WriteLine(Line(diagnostic));
        failed |= spec.HasErrors;
    }
    catch (Exception e) when (e is IOException or UnauthorizedAccessException)
    {
        Console.WriteLine($"{full}(1,1): error E0104: the file cannot be read");
        failed = true;
    }
}
if (failed)
    File.Delete(stamp);
else
    File.WriteAllLines(stamp, read);
return 0;

byte[]? Import(string path)
{
    if (!File.Exists(path))
        return null;
    read.Add(Path.GetFullPath(path));
    return File.ReadAllBytes(path);
}

static string Line(SpecDiagnostic diagnostic)
{
    var place = diagnostic.Place;
    string help = diagnostic.Help is { } text ? $"; {text}" : "";
    return $"{Path.GetFullPath(place.File)}({place.Line},{place.Column},{place.EndLine},{place.EndColumn}): "
        + $"{(diagnostic.Severity == SpecSeverity.Error ? "error" : "warning")} {diagnostic.Code}: "
        + OneLine(diagnostic.Message + help);
}

static string OneLine(string text) => text.ReplaceLineEndings(" ");
