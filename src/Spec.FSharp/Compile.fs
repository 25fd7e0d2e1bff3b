/// The whole compiler: bytes → text → tree → imports → graph with shapes → checks → IR. Read this first.
///
/// Every step is a module of its own. None touches a file, and none fails: what is wrong is in the diagnostics.
module CnnSpec.Compile

open CnnSpec.Text
open CnnSpec.Syntax
open CnnSpec.Elaborate
open CnnSpec.Ir
open CnnSpec.Lowering

/// A network that fits, with everything the other commands show of it.
type Network =
    {
        Graph: Graph
        Program: Program
        /// Its recipes, checked against its head.
        Recipes: Recipe list
        /// The values of its parameters, as spec text.
        Arguments: Map<string, string>
    }

type Compilation =
    {
        File: File
        /// Those without an error, in the order of the file.
        Networks: Network list
        Diagnostics: Diagnostic list
    }

    member this.HasErrors = this.Diagnostics |> List.exists Diagnostic.isError

/// A network's statements become a graph, whose shapes are inferred on the way; the graph is checked and lowered, and the
/// recipes are checked against its head.
let private network (context: ElaborationContext) (reporter: Reporter) recipes declaration : Network option =
    let arguments, graph = Elaborate.network context declaration
    let program = graph |> Option.map Lower.program

    graph
    |> Option.iter (fun graph ->
        reporter.Add(Lower.unusedRules graph)
        reporter.Add(Lint.network graph (not context.Declarations.Recipes.IsEmpty)))

    let trained: Recipes.TrainedNetwork =
        {
            Arguments = arguments
            Input = program |> Option.map _.Input |> Option.defaultValue []
            Output = program |> Option.map Program.outputShape
        }

    let recipes = recipes |> List.choose (Recipes.elaborate context trained)

    Option.map2
        (fun graph program ->
            {
                Graph = graph
                Program = program
                Recipes = recipes
                Arguments = arguments |> Map.map (fun _ -> Value.describe)
            })
        graph
        program

/// From a tree to networks.
let private compile (options: CompileOptions) (file: File, syntaxErrors: Diagnostic list) : Compilation =
    let reporter = Reporter syntaxErrors
    let imported, missing = Imports.declarations options.Read file
    reporter.Add missing
    reporter.MissesDeclarations <- not missing.IsEmpty

    let declarations, clashes =
        Declarations.collect Leaves.isReserved file.Declarations imported

    reporter.Add clashes

    let arguments, unknown = Overrides.parse options.Set declarations.Networks

    reporter.Add unknown

    let networks =
        reporter.WithinBudget(fun () ->
            let context =
                {
                    Declarations = declarations
                    Constants = Declarations.constants declarations (Budget()) reporter.Tell
                    Overrides =
                        {
                            Arguments = arguments
                            Input = options.Input
                            Data = options.Data
                            Folder = options.Folder
                        }
                    Budget = Budget()
                    Report = reporter.Tell
                }

            let recipes = declarations.Recipes |> List.filter (Recipes.isWhole syntaxErrors)

            declarations.Networks |> List.choose (network { context with Budget = Budget() } reporter recipes))

    reporter.Add(Declarations.refuseEmpty file syntaxErrors)

    if not reporter.HasErrors then
        reporter.Add(Lint.file file)

    {
        File = file
        Networks = networks
        Diagnostics = reporter.InSourceOrder file.Source.Path
    }

/// Checks a spec's text and lowers the networks in it.
let file (options: CompileOptions) (source: Source) : Compilation =
    LargeStack.run (fun () -> SpecSyntax.parse source |> compile options)

/// The same of a file's bytes, which may be no text at all.
let bytes (options: CompileOptions) (path: string) (bytes: byte[]) : Compilation =
    match SourceFile.ofBytes path bytes with
    | Ok source -> file options source
    | Error problem ->
        {
            File = File.empty problem.Primary.Span.Source
            Networks = []
            Diagnostics = [ problem ]
        }

/// The same spec under other options, without reading it again. It had no errors.
let again (options: CompileOptions) (compilation: Compilation) : Compilation =
    LargeStack.run (fun () -> compile options (compilation.File, []))

/// A spec in its canonical form, in either syntax; or what keeps it from being read.
let rewrite (syntax: SpecSyntax) (source: Source) : Result<string, Diagnostic list> =
    LargeStack.run (fun () ->
        match SpecSyntax.parse source with
        | file, [] -> Ok(SpecSyntax.print syntax file)
        | _, problems -> Error(Diagnostic.inSourceOrder source.Path problems))
