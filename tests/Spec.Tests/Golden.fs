/// Files that hold what users read. `CNNSPEC_UPDATE_GOLDEN=1 dotnet run --project tests/Spec.Tests` writes them anew; the diff is
/// then to be read as a user would.
module CnnSpec.Spec.Tests.Golden

open System
open System.IO
open Expecto

let private updates =
    Environment.GetEnvironmentVariable "CNNSPEC_UPDATE_GOLDEN" = "1"

/// Asserts that the file (from the repository's root) holds this text.
let holds (file: string) (text: string) =
    let full = Repository.path file

    if updates then
        Directory.CreateDirectory(Path.GetDirectoryName full) |> ignore
        File.WriteAllText(full, text)

    Expect.isTrue (File.Exists full) $"{file} is missing; CNNSPEC_UPDATE_GOLDEN=1 writes it"
    let expected = File.ReadAllText full

    if expected <> text then
        failtest $"{file} differs. It holds:\n\n{expected}\nand the compiler says:\n\n{text}"
