/// Recipes: from the settings of a `train { … }` section to what the runtime carries out.
module CnnSpec.Elaborate.Recipes

open System
open CnnSpec.Text
open CnnSpec.Syntax
open CnnSpec.Operators
open CnnSpec.Ir
open CnnSpec.Elaborate.RecipeTable
open CnnSpec.Elaborate.AugmentationTable

/// Every name that a recipe's values can use.
let names: string list =
    List.concat
        [
            dataSets |> List.map _.Signature.Name
            optimizers |> List.map _.Signature.Name
            schedules |> List.map _.Signature.Name
            losses |> List.map _.Signature.Name
            scalings |> List.map _.Signature.Name
            augmentations |> List.map _.Signature.Name
        ]

/// Words that a setting chooses from, which may be written without quotes.
let private choices: string list =
    let parameters (entries: Entry<'a> list) =
        entries |> List.collect _.Signature.Parameters

    keys @ parameters optimizers @ parameters schedules @ parameters augmentations @ parameters losses
    |> List.collect (fun parameter ->
        match parameter.Type with
        | Choice words -> words
        | NumbersOr word -> [ word ]
        | _ -> [])
    |> List.distinct

let private plainLoss =
    { LabelSmoothing = 0.0; ClassWeights = []; Balanced = false }

/// Used where a file has no recipe and the command line says what to train on.
let fallback (data: DataSource) : Recipe =
    {
        Name = "default"
        Data = data
        Scaling = ByDataSet
        Augment = []
        Optimizer = AdamW(1e-3, 0.9, 0.999, 1e-8, 0.01)
        Schedule = ConstantRate
        Warmup = 0.0
        Loss = plainLoss
        Epochs = 10
        Batch = 128
        Accumulate = 1
        Clipping = NoClipping
        DecayWeightsOnly = false
        AverageDecay = None
        EarlyStop = None
        Seed = 1L
    }

module private RecipeData =

    /// Other data in a recipe's place, which hold out the same share of their images for validation.
    let instead (data: DataSource) (own: DataSource) =
        match RecipeChecks.available own, RecipeChecks.available data with
        | Some before, Some now when own.Validation > 0 ->
            let share = float own.Validation / float before
            { data with Validation = max 1 (int (Math.Round(share * float now))) }
        | _ -> { data with Validation = own.Validation }

    /// A folder's path from where the spec's own begins, and what lies there.
    let located (elaboration: ElaborationContext) (span: Span) (data: DataSource) =
        if data.Name <> "folder" then
            data
        else
            let path = Imports.resolve span.Source.Path data.Path
            let located = { data with Path = path }

            let look =
                match elaboration.Overrides.Data with
                | Unused -> NotLooked
                | _ -> elaboration.Overrides.Folder path

            match look with
            | NotLooked -> located
            | Unusable reason ->
                Diagnostic.warning "W0108" span reason
                |> Diagnostic.withHelp "the path is relative to the spec"
                |> elaboration.Report

                located
            | Holds(classes, images) -> { located with Classes = Some classes; TrainCount = images }

/// What a network's parameter is called that takes the number of classes.
let classParameters = [ "classes"; "num_classes" ]

let private takesClasses (arguments: Evaluate.Variables) =
    classParameters |> List.exists arguments.ContainsKey

/// A recipe on other data than its own, of which the same share validates.
let onData (data: DataSource) (recipe: Recipe) : Recipe =
    { recipe with Data = RecipeData.instead data recipe.Data }

/// What a change from outside leaves without effect, in words: with `--epochs 2` a milestone at 100 is never reached.
let unreached (recipe: Recipe) : string list =
    let nowhere = Span.create (Source.create "" "") 0 0
    RecipeChecks.tooLong (fun _ -> nowhere) recipe |> List.map _.Message

let private article (noun: string) =
    if "aeiou".Contains noun[0] then
        $"an {noun}"
    else
        $"a {noun}"

let private build report what (entries: Entry<'a> list) (value: Value) (span: Span) : 'a option =
    match value with
    | Made made ->
        match entries |> List.tryFind (fun e -> e.Signature.Name = made.Name) with
        | Some entry ->
            let bound, problems = Signature.bind entry.Signature made.Span made.Arguments
            List.iter report problems
            bound |> Option.map entry.Build
        | None ->
            let names = entries |> List.map _.Signature.Name

            let diagnostic =
                Diagnostic.error "E0401" made.Span $"'{made.Name}' is not {article what}"

            let help =
                match Suggest.nearest made.Name names with
                | Some near -> $"did you mean '{near}'?"
                | None -> $"""use one of {String.concat ", " names}"""

            report (Diagnostic.withHelp help diagnostic)
            None
    | Unknown -> None
    | other ->
        report (Diagnostic.error "E0206" span $"this must be {article what}, and is {Value.kind other}")
        None

/// What a recipe must fit.
type TrainedNetwork =
    {
        /// The values of the network's parameters, which a recipe may use.
        Arguments: Evaluate.Variables
        Input: Shape
        /// What it gives for an image; nothing where it does not fit.
        Output: Shape option
    }

/// Whether all of a recipe was read. One that was not is not judged by what it seems to lack.
let isWhole (syntaxErrors: Diagnostic list) (recipe: TrainDeclaration) =
    syntaxErrors
    |> List.forall (fun d -> d.Primary.Span.Start < recipe.Span.Start || d.Primary.Span.Start > recipe.Span.End)

/// The recipe that a `train` section says for a network; nothing where it is wrong.
let elaborate
    (elaboration: ElaborationContext)
    (network: TrainedNetwork)
    (declaration: TrainDeclaration)
    : Recipe option =
    let failed = ref false

    let report diagnostic =
        failed.Value <- true
        elaboration.Report diagnostic

    let context: EvaluationContext =
        {
            Functions = elaboration.Declarations.Functions
            Constants = elaboration.Constants
            IsConstruction = fun name -> List.contains name names || List.contains name choices
            Ambient = fun _ _ -> None
            Candidates = fun () -> names
            Report = report
            Budget = elaboration.Budget
        }

    let given: Given list =
        declaration.Settings
        |> List.map (fun setting ->
            {
                Name = Some setting.Key.Name
                Value = Evaluate.value context network.Arguments setting.Value
                Span = Span.cover setting.Key.Span setting.Value.Span
            })

    let spans = given |> List.map (fun g -> g.Name.Value, g.Span) |> Map.ofList
    let signature = { Name = "train"; Parameters = keys }
    let keyword = { declaration.Span with End = declaration.Span.Start + 5 }
    let bound, problems = Signature.bind signature keyword given
    List.iter report problems

    match bound with
    | None -> None
    | Some bound ->
        let at key =
            Map.tryFind key spans |> Option.defaultValue keyword

        let choice what entries key fallback =
            match bound.Value key with
            | Nothing -> fallback
            | value -> build report what entries value (at key)

        let written = choice "data set" dataSets "data" None

        let data =
            match elaboration.Overrides.Data, written with
            | Instead data, Some own -> Some(RecipeData.instead data own)
            | _, own -> own |> Option.map (RecipeData.located elaboration (at "data"))

        let optimizer =
            choice "optimizer" optimizers "optimizer" (Some(AdamW(1e-3, 0.9, 0.999, 1e-8, 0.01)))

        let schedule = choice "schedule" schedules "schedule" (Some ConstantRate)
        let scaling = choice "scaling" scalings "normalize" (Some UnitInterval)

        let augment =
            match bound.Value "augment" with
            | List items ->
                items |> List.map (fun item -> build report "augmentation" augmentations item (at "augment"))
            | one -> [ build report "augmentation" augmentations one (at "augment") ]

        let loss = choice "loss" losses "loss" (Some plainLoss)

        match data, optimizer, schedule, scaling, loss with
        | Some data, Some optimizer, Some schedule, Some scaling, Some loss ->
            let recipe =
                {
                    Name = declaration.Name
                    Data = data
                    Scaling = scaling
                    Augment = List.choose id augment
                    Optimizer = optimizer
                    Schedule = schedule
                    Warmup = bound.Float "warmup"
                    Loss = loss
                    Epochs = bound.Int "epochs"
                    Batch = bound.Int "batch"
                    Accumulate = bound.Int "accumulate"
                    Clipping =
                        if bound.Has "clip_norm" then
                            ByNorm(bound.Float "clip_norm")
                        elif bound.Has "clip_value" then
                            ByValue(bound.Float "clip_value")
                        else
                            NoClipping
                    DecayWeightsOnly = bound.Text "decay" = "weights"
                    AverageDecay = if bound.Has "ema" then Some(bound.Float "ema") else None
                    EarlyStop =
                        if bound.Has "patience" then
                            Some { Patience = bound.Int "patience"; MinDelta = bound.Float "min_delta" }
                        else
                            None
                    Seed =
                        match bound.Value "seed" with
                        | Int seed -> seed
                        | _ -> 1L
                }

            let output =
                match elaboration.Overrides.Data with
                | Unused -> None
                // Training sets it to what the folder holds.
                | AsWritten when data.Name = "folder" && takesClasses network.Arguments -> None
                | _ -> network.Output

            RecipeChecks.contradictions recipe spans keyword network.Input output network.Arguments
            |> List.iter report

            if failed.Value then None else Some recipe
        | _ -> None

/// How pixels are scaled, as the value of `normalize` says it; `name` is what diagnostics call the text.
let scaling (name: string) (text: string) : Result<PixelScaling, Diagnostic list> =
    let problems = ResizeArray<Diagnostic>()
    let source = Source.create name text
    let span = Span.create source 0 text.Length

    let context: EvaluationContext =
        {
            Functions = Map.empty
            Constants = Map.empty
            IsConstruction = fun name -> List.contains name names
            Ambient = fun _ _ -> None
            Candidates = fun () -> scalings |> Seq.map _.Signature.Name
            Report = problems.Add
            Budget = Budget()
        }

    let scaling =
        match ExcerptParser.expression (Excerpt.ofSpan source 0 text.Length) with
        | Ok expression -> build problems.Add "scaling" scalings (Evaluate.value context Map.empty expression) span
        | Error problem ->
            problems.Add problem
            None

    match scaling with
    | Some scaling when problems.Count = 0 ->
        match RecipeChecks.scaling span scaling with
        | [] -> Ok scaling
        | wrong -> Error wrong
    | _ -> Error(List.ofSeq problems)
