module CnnSpec.Spec.Tests.Main

open Expecto

/// `dotnet run --project tests/Spec.Tests -- --help` lists the options; `--filter "weight names"` runs one list.
[<EntryPoint>]
let main arguments =
    eprintfn $"CNNSPEC_TEST_SEED={Testing.seed} repeats this run"
    runTestsInAssemblyWithCLIArgs [] arguments
