/// Stages made better. Each pass computes the same function with the same weights: `all` forward and backward,
/// `forEvaluation` forward, where statistics are fixed and auxiliary heads are left out.
[<RequireQualifiedAccess>]
module CnnSpec.Ir.Passes

open CnnSpec.Operators

/// The values that must exist after the last stage.
let private kept (program: Program) =
    program.Output :: (program.AuxiliaryHeads |> List.map _.Node) |> Set.ofList

/// The one stage that reads each value, where it has no other reader.
let private onlyReader (stages: Stage list) =
    let readers =
        stages
        |> List.collect (fun stage -> stage.Inputs |> List.map (fun value -> value, stage))
        |> List.groupBy fst

    readers
    |> List.choose (fun (value, uses) ->
        match uses with
        | [ _, reader ] -> Some(value, reader)
        | _ -> None)
    |> Map.ofList

/// A stage and the only reader of its value as one stage, which stands where the reader stood.
let private become (first: Stage) (reader: Stage) kernel inputs =
    if first.TrainingOnly = reader.TrainingOnly then
        Some
            { first with
                Kernel = kernel
                Inputs = inputs
                Output = reader.Output
                Weights = first.Weights @ reader.Weights
            }
    else
        None

/// Batch normalisation takes the sum and the ReLU after it, and max pooling the ReLU before it, into its own passes over
/// memory.
let private fused (first: Stage) (reader: Stage) =
    let become = become first reader

    match first.Kernel, reader.Kernel with
    | Single(BatchNorm norm), Single(Activate Relu) -> become (Normalise(norm, false, true)) first.Inputs
    | Single(BatchNorm norm), Single Add ->
        match reader.Inputs |> List.filter (fun value -> value <> first.Output) with
        | [ other ] -> become (Normalise(norm, true, false)) (first.Inputs @ [ other ])
        | _ -> None
    | Normalise(norm, true, false), Single(Activate Relu) -> become (Normalise(norm, true, true)) first.Inputs
    | Single(Activate Relu), Single(MaxPool pool) -> become (MaxPoolRelu pool) first.Inputs
    | _ -> None

/// A convolution takes in the normalisation after it, whose factors are fixed in evaluation, with its sum and its ReLU.
let private folded (first: Stage) (reader: Stage) =
    let become = become first reader

    match first.Kernel, reader.Kernel with
    | Single(Conv conv), Single(BatchNorm norm) -> become (Convolve(conv, Some norm, false, false)) first.Inputs
    | Single(Conv conv), Normalise(norm, sum, relu) when reader.Inputs.Head = first.Output ->
        become (Convolve(conv, Some norm, sum, relu)) (first.Inputs @ reader.Inputs.Tail)
    | Single(Conv conv), Single(Activate Relu) -> become (Convolve(conv, None, false, true)) first.Inputs
    | _ -> None

/// Joins stages while `rule` finds two to join. Values in `kept` are there after the last stage.
let rec private join rule kept (stages: Stage list) : Stage list =
    let readers = onlyReader stages

    let found =
        stages
        |> List.filter (fun stage -> not (Set.contains stage.Output kept))
        |> List.choose (fun stage ->
            Map.tryFind stage.Output readers
            |> Option.bind (rule stage)
            |> Option.map (fun both -> stage.Output, both))
        // Of a sum of two branches one is joined.
        |> List.distinctBy (fun (_, both) -> both.Output)

    // A stage that has just been joined with the one before it waits for the next turn.
    let grown = found |> List.map (fun (_, both) -> both.Output) |> Set.ofList
    let joins = found |> List.filter (fun (gone, _) -> not (Set.contains gone grown))

    if joins.IsEmpty then
        stages
    else
        let gone = joins |> List.map fst |> Set.ofList
        let made = joins |> List.map (fun (_, both) -> both.Output, both) |> Map.ofList

        stages
        |> List.filter (fun stage -> not (Set.contains stage.Output gone))
        |> List.map (fun stage -> Map.tryFind stage.Output made |> Option.defaultValue stage)
        |> join rule kept

/// What a network runs in training.
let all (program: Program) : Stage list =
    Stages.plain program |> join fused (kept program)

/// What a network runs in evaluation where no gradient is asked for.
let forEvaluation (program: Program) : Stage list =
    let kept = Set.singleton program.Output

    Stages.plain program
    |> List.filter (fun stage -> not stage.TrainingOnly)
    |> join fused kept
    |> join folded kept
