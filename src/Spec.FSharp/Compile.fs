/// The whole pipeline: text → Ast → Graph (with shapes) → Ir. Read this first.
module CnnSpec.Compile

open System
open System.Threading
open CnnSpec.Text
open CnnSpec.Syntax
open CnnSpec.Operators
open CnnSpec.Elaborate
open CnnSpec.Ir

type Options =
    {
        /// `--set name=value`: values of the network's parameters, as spec text.
        Set: (string * string) list
        /// `--input CxHxW` instead of the spec's own.
        Input: Shape option
        /// Reads an imported file, or says why not. The compiler itself touches no file.
        Load: string -> Result<string, string>
    }

/// A network that fits, with everything the other commands show of it.
type Network =
    {
        Graph: Graph
        Program: Program
        /// Its recipes, checked against its head.
        Recipes: Recipe list
    }

type Compilation =
    {
        File: File
        /// Those without an error, in the order of the file.
        Networks: Network list
        Diagnostics: Diagnostic list
    }

    member this.HasErrors = this.Diagnostics |> List.exists Diagnostic.isError

/// Text to tree, in the dress that the file's name tells.
let private parse (source: Source) : File * Diagnostic list =
    Dress.parse (Dress.ofPath source.Path) source

/// The path of an import, from where the importing file's path begins. `a/../b` is `b`, so that a file is known again.
let private resolve (from: string) (path: string) =
    let directory =
        match from.LastIndexOfAny [| '/'; '\\' |] with
        | -1 -> ""
        | at -> from.Substring(0, at + 1)

    let full = if IO.Path.IsPathRooted path then path else directory + path

    let folders =
        ([], full.Split '/')
        ||> Array.fold (fun kept part ->
            match part, kept with
            | ".", _ -> kept
            | "..", above :: rest when above <> ".." && above <> "" -> rest
            | _ -> part :: kept)

    String.Join('/', List.rev folders)

/// A spec with its blocks needs a few files.
let private mostFiles = 1_000

/// The declarations of all files that this one imports, each file once, and where reading failed.
let private imports (load: string -> Result<string, string>) (file: File) : Declaration list * Diagnostic list =
    let visited = Collections.Generic.HashSet [ file.Source.Path ]
    let declarations = ResizeArray<Declaration>()
    let diagnostics = ResizeArray<Diagnostic>()
    let mutable tooMany: Span option = None

    let rec visit depth (file: File) =
        for declaration in file.Declarations do
            match declaration.Kind with
            | Import(path, span) ->
                let full = resolve file.Source.Path path

                if depth > Budget.DeepestCalls then
                    diagnostics.Add(Diagnostic.error "E0208" span $"imports nest more than {Budget.DeepestCalls} deep")
                elif visited.Count > mostFiles then
                    tooMany <- Some span
                elif visited.Add full then
                    match load full with
                    | Error reason ->
                        diagnostics.Add(
                            Diagnostic.error "E0208" span $"\"{path}\" cannot be imported: {reason}"
                            |> Diagnostic.withHelp "the path is relative to the file that imports"
                        )
                    | Ok text ->
                        let imported, problems = parse (Source.create full text)
                        diagnostics.AddRange problems
                        visit (depth + 1) imported
                        declarations.AddRange imported.Declarations
            | _ -> ()

    visit 0 file

    tooMany
    |> Option.iter (fun span ->
        diagnostics.Add(Diagnostic.error "E0208" span $"this spec imports more than {mostFiles} files"))

    List.ofSeq declarations, List.ofSeq diagnostics

/// The values of `--set`, parsed as the spec's expressions are.
let private overrides (options: Options) (networks: BlockDeclaration list) : Overrides * Diagnostic list =
    let parsed =
        options.Set
        |> List.map (fun (name, text) ->
            let source = Source.create $"--set {name}" text
            name, source, ExcerptParser.expression (Excerpt.ofSpan source 0 text.Length))

    let known = networks |> List.collect (fun n -> n.Parameters |> List.map _.Name.Name)

    let problems =
        parsed
        |> List.collect (fun (name, source, result) ->
            [
                match result with
                | Error diagnostic -> diagnostic
                | Ok _ -> ()

                if not (List.contains name known) then
                    let diagnostic =
                        Diagnostic.error
                            "E0203"
                            (Span.create source 0 source.Text.Length)
                            $"no network has a parameter '{name}'"

                    match Suggest.nearest name known, known with
                    | Some near, _ -> Diagnostic.withHelp $"did you mean '{near}'?" diagnostic
                    | None, [] -> diagnostic
                    | None, _ -> Diagnostic.withHelp $"""it has {String.concat ", " known}""" diagnostic
            ])

    let arguments =
        parsed
        |> List.choose (fun (name, _, result) -> result |> Result.toOption |> Option.map (fun expr -> name, expr))
        |> Map.ofList

    { Arguments = arguments; Input = options.Input }, problems

let private isReserved name =
    (Catalog.tryFind name).IsSome
    || (Builtins.tryFind name).IsSome
    || List.contains name Ambient.names
    || name = Leaves.splitSignature.Name

let private elaborate (options: Options) (file: File) (syntax: Diagnostic list) : Compilation =
    let diagnostics = ResizeArray<Diagnostic> syntax
    let imported, importProblems = imports options.Load file
    diagnostics.AddRange importProblems

    let told = Collections.Generic.HashSet<struct (string * Span)>()

    /// What a missing file may have declared is not complained about, and nothing twice.
    let report (diagnostic: Diagnostic) =
        if
            (importProblems.IsEmpty || diagnostic.Code <> "E0201")
            && told.Add(struct (diagnostic.Code, diagnostic.Primary.Span))
        then
            if diagnostics.Count >= Diagnostic.most then
                raise (BudgetExceeded diagnostic)

            diagnostics.Add diagnostic

    let declarations, problems =
        Declarations.collect isReserved file.Declarations imported

    diagnostics.AddRange problems
    let overrides, problems = overrides options declarations.Networks

    /// A recipe that did not parse whole is not judged by what it seems to lack.
    let isWhole (recipe: TrainDeclaration) =
        syntax
        |> List.forall (fun d -> d.Primary.Span.Start < recipe.Span.Start || d.Primary.Span.Start > recipe.Span.End)

    diagnostics.AddRange problems

    let networks =
        try
            let constants = Declarations.constants declarations (Budget()) report

            declarations.Networks
            |> List.choose (fun declaration ->
                let budget = Budget()

                let arguments, graph =
                    Elaborate.network declarations constants overrides budget report declaration

                let program = graph |> Option.map Lower.program

                graph
                |> Option.iter (fun graph ->
                    diagnostics.AddRange(Lower.unusedRules graph)
                    diagnostics.AddRange(Lint.network graph (not declarations.Recipes.IsEmpty)))

                let classes =
                    match program |> Option.map Program.outputShape with
                    | Some [ features ] -> Some features
                    | _ -> None

                let input = program |> Option.map _.Input |> Option.defaultValue []

                let recipes =
                    declarations.Recipes
                    |> List.filter isWhole
                    |> List.choose (Recipes.elaborate declarations constants budget report arguments input classes)

                Option.map2
                    (fun graph program -> { Graph = graph; Program = program; Recipes = recipes })
                    graph
                    program)
        with BudgetExceeded diagnostic ->
            diagnostics.Add diagnostic
            []

    // Of a file that is broken there is more urgent to say.
    if not (Seq.exists Diagnostic.isError diagnostics) then
        diagnostics.AddRange(Lint.file file)

    {
        File = file
        Networks = networks
        Diagnostics = Diagnostic.inSourceOrder file.Source.Path diagnostics
    }

/// Expansion recurses as deep as the spec nests, which the budget bounds; this much stack (bytes) holds it.
let private stackSize = 256 * 1024 * 1024

let private onLargeStack (work: unit -> 'a) : 'a =
    let mutable result = Unchecked.defaultof<'a>
    let mutable failure: exn = null

    let thread =
        Thread(
            (fun () ->
                try
                    result <- work ()
                with error ->
                    failure <- error),
            stackSize
        )

    thread.Start()
    thread.Join()

    if not (isNull failure) then
        Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(failure).Throw()

    result

/// Checks a spec and lowers the networks in it. Never fails: what is wrong is in the diagnostics.
let file (options: Options) (source: Source) : Compilation =
    onLargeStack (fun () ->
        let file, problems = parse source
        elaborate options file problems)

/// The same spec under other options, without reading it again. It had no errors.
let again (options: Options) (compilation: Compilation) : Compilation =
    onLargeStack (fun () -> elaborate options compilation.File [])

/// A spec in its canonical form, in either dress; or what keeps it from being read.
let rewrite (dress: Dress) (source: Source) : Result<string, Diagnostic list> =
    onLargeStack (fun () ->
        match parse source with
        | file, [] -> Ok(Dress.print dress file)
        | _, problems -> Error(Diagnostic.inSourceOrder source.Path problems))
