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

/// Readers of an identity read what it reads.
let private withoutIdentities kept (stages: Stage list) : Stage list =
    let removed, left =
        stages
        |> List.partition (fun stage -> stage.Kernel = Single Identity && not (Set.contains stage.Output kept))

    let source =
        removed |> List.map (fun stage -> stage.Output, stage.Inputs.Head) |> Map.ofList

    let rec origin value =
        match Map.tryFind value source with
        | Some before -> origin before
        | None -> value

    left |> List.map (fun stage -> { stage with Inputs = stage.Inputs |> List.map origin })

let private isNormalisation (stage: Stage) =
    match stage.Kernel with
    | Single(BatchNorm _)
    | Normalise(_, false, _) -> true
    | _ -> false

/// 1×1 convolutions of one input, as at an inception module's head, are one product where normalisations are
/// all that reads them: each then reads its channels of the whole.
let private together (program: Program) kept (stages: Stage list) : Stage list =
    let readers = onlyReader stages

    let candidate (stage: Stage) =
        match stage.Kernel, Map.tryFind stage.Output readers with
        | Single(Conv conv), Some reader when
            conv.Kernel = Extent.one
            && conv.Stride = Extent.one
            && conv.Padding.IsZero
            && conv.Groups = 1
            && isNormalisation reader
            && not (stage.TrainingOnly || reader.TrainingOnly || Set.contains stage.Output kept)
            ->
            Some(stage, conv)
        | _ -> None

    let groups =
        stages
        |> List.choose candidate
        |> List.groupBy (fun (stage, conv) -> stage.Inputs, conv.Bias)
        |> List.map snd
        |> List.filter (fun group -> group.Length > 1)
        |> List.mapi (fun index group -> program.Nodes.Length + index, group)

    /// In place of the first one: all. Of the others: nothing.
    let wholes =
        groups
        |> List.collect (fun (value, group) ->
            let members, convolutions = List.unzip group

            let whole =
                { members.Head with
                    Kernel = MergedConv convolutions
                    Output = value
                    Weights = members |> List.collect _.Weights
                }

            members |> List.mapi (fun at stage -> stage.Output, (if at = 0 then [ whole ] else [])))
        |> Map.ofList

    /// Of each output that is part of a whole: the whole, and its channels there.
    let parts =
        groups
        |> List.collect (fun (value, group) ->
            (0L, group)
            ||> List.mapFold (fun first (stage, conv) ->
                let size = int64 conv.OutChannels
                (stage.Output, (value, { First = first; Count = size })), first + size)
            |> fst)
        |> Map.ofList

    stages
    |> List.collect (fun stage ->
        match
            Map.tryFind stage.Output wholes, stage.Inputs |> List.tryHead |> Option.bind (fun v -> Map.tryFind v parts)
        with
        | Some whole, _ -> whole
        | None, Some(whole, channels) -> [ { stage with Inputs = [ whole ]; Channels = Some channels } ]
        | None, None -> [ stage ])

/// Concatenations that each add to the one before get one memory for all, so that each writes what is new alone. Whoever
/// else reads such a result reads rows with gaps, which normalisations do as fast as any.
let private joined (program: Program) (stages: Stage list) : Stage list =
    let channels value = program.Nodes[value].Shape.Head

    let concatenations =
        stages |> List.filter (fun stage -> stage.Kernel = Single Concat)

    let grows value (by: Stage) =
        let readers = stages |> List.filter (fun stage -> List.contains value stage.Inputs)

        (concatenations
         |> List.exists (fun stage -> stage.Output = value && stage.TrainingOnly = by.TrainingOnly))
        && (by.Inputs |> List.filter ((=) value)).Length = 1
        && readers |> List.forall (fun reader -> reader = by || isNormalisation reader)

    /// Of each concatenation that grows from another: its output, the other's, and which of its inputs that is.
    let bases =
        concatenations
        |> List.choose (fun stage ->
            stage.Inputs
            |> List.tryFindIndex (fun value -> grows value stage)
            |> Option.map (fun index -> stage.Output, (stage.Inputs[index], index)))
        |> Map.ofList

    let growths =
        bases |> Map.toList |> List.map (fun (grown, (from, index)) -> from, (grown, index)) |> Map.ofList

    let rec room value =
        match Map.tryFind value growths with
        | None -> 0L, 0L
        | Some(grown, index) ->
            let inputs =
                (concatenations |> List.find (fun stage -> stage.Output = grown)).Inputs

            let sum = List.sumBy channels
            let before, after = room grown
            before + sum (List.take index inputs), after + sum (List.skip (index + 1) inputs)

    stages
    |> List.map (fun stage ->
        match Map.tryFind stage.Output bases, Map.containsKey stage.Output growths with
        | _ when stage.Kernel <> Single Concat -> stage
        | Some(_, index), _ -> { stage with Kernel = Join(Some index, 0L, 0L) }
        | None, true ->
            let before, after = room stage.Output
            { stage with Kernel = Join(None, before, after) }
        | None, false -> stage)

let private isMaxPool (stage: Stage) =
    match stage.Kernel with
    | Single(MaxPool _)
    | MaxPoolRelu _ -> true
    | _ -> false

/// Max pooling before whatever else reads its input, as at an inception module's head: going backward it is then the last,
/// and adds the others' gradients while it writes its own.
let private poolsFirst (stages: Stage list) : Stage list =
    (stages, List.filter isMaxPool stages)
    ||> List.fold (fun stages pool ->
        let first =
            stages |> List.findIndex (fun stage -> List.contains pool.Inputs.Head stage.Inputs)

        if isMaxPool stages[first] then
            stages
        else
            stages |> List.filter ((<>) pool) |> List.insertAt first pool)

let private training (products: Set<int> -> Stage list -> Stage list) (program: Program) : Stage list =
    let kept = kept program

    Stages.plain program
    |> withoutIdentities kept
    |> join fused kept
    |> products kept
    |> joined program
    |> poolsFirst

/// What a network runs in training.
let all (program: Program) : Stage list = training (together program) program

/// What it runs in training on a GPU, whose libraries normalise a part of a map more slowly than maps by themselves.
let onGpu (program: Program) : Stage list = training (fun _ -> id) program

/// What a network runs in evaluation where no gradient is asked for.
let forEvaluation (program: Program) : Stage list =
    let kept = Set.singleton program.Output

    Stages.plain program
    |> List.filter (fun stage -> not stage.TrainingOnly)
    |> withoutIdentities kept
    |> join fused kept
    |> join folded kept
    |> joined program
