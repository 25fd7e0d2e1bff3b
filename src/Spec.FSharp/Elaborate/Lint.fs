/// Warnings that an experienced reader of a network would give: nothing here is an error, all of it is worth a look.
module CnnSpec.Elaborate.Lint

open CnnSpec.Text
open CnnSpec.Operators
open CnnSpec.Shape
open CnnSpec.Syntax

/// What the rules ask of a graph, looked up once.
type private Wiring(graph: Graph) =
    let nodes = List.toArray graph.Nodes
    let users = nodes |> Array.map (fun _ -> ResizeArray<int>())

    do
        for node in nodes do
            for input in node.Inputs do
                users[input].Add node.Id

    member _.Nodes = nodes
    member _.Users id = users[id]

    /// The one operation that uses this one's output.
    member _.Next(node: Node) =
        if users[node.Id].Count = 1 then
            Some nodes[users[node.Id][0]]
        else
            None

let private warn code (node: Node) message help =
    Diagnostic.warning code node.Span message
    |> Diagnostic.withHelp help
    |> Diagnostic.withRelated (node.Frames |> List.truncate 2 |> List.map (fun f -> { Span = f.Span; Text = f.Text }))

/// Rows and columns at the far edge that a window operation never sees.
let unseen (wiring: Node[]) (node: Node) : int64 * int64 =
    /// A window smaller than its stride leaves cells out everywhere, on purpose: a 1×1 projection with stride 2.
    let axis size kernel stride near far dilation =
        if Formulas.dilatedKernel kernel dilation < int64 stride then
            0L
        else
            Formulas.unseen size kernel stride (near + far) far dilation

    let along (shape: Shape) (kernel: Extent) (stride: Extent) (padding: Margins) (dilation: Extent) =
        match shape with
        | [ _; height; width ] ->
            axis height kernel.Height stride.Height padding.Top padding.Bottom dilation.Height,
            axis width kernel.Width stride.Width padding.Left padding.Right dilation.Width
        | _ -> 0L, 0L

    match node.Op, node.Inputs with
    | Conv c, [ input ] -> along wiring[input].Shape c.Kernel c.Stride c.Padding c.Dilation
    | MaxPool p, [ input ] when not p.Ceil ->
        along wiring[input].Shape p.Kernel p.Stride (Margins.symmetric p.Padding) p.Dilation
    | AvgPool p, [ input ] when not p.Ceil ->
        along wiring[input].Shape p.Kernel p.Stride (Margins.symmetric p.Padding) Extent.one
    | _ -> 0L, 0L

let private droppedEdges (wiring: Wiring) =
    wiring.Nodes
    |> Seq.choose (fun node ->
        match unseen wiring.Nodes node with
        | 0L, 0L -> None
        | rows, columns ->
            let count amount word =
                if amount = 1L then
                    $"the last {word}"
                else
                    $"the last {amount} {word}s"

            let what =
                match rows, columns with
                | 0L, columns -> count columns "column"
                | rows, 0L -> count rows "row"
                | rows, columns -> $"""{count rows "row"} and {count columns "column"}"""

            let shape = Shape.describe wiring.Nodes[node.Inputs.Head].Shape

            warn
                "W0101"
                node
                $"{node.Operator} never sees {what} of its {shape} map"
                "check --solve-input lists the input sizes that leave nothing out; padding or ceil=true keeps the edge"
            |> Some)

let private biasBeforeNorm (wiring: Wiring) =
    wiring.Nodes
    |> Seq.choose (fun node ->
        match node.Op, wiring.Next node with
        | (Conv { Bias = true } | ConvTranspose { Bias = true } | Linear(bias = true)), Some { Op = BatchNorm _ } ->
            Some(warn "W0102" node "the batch_norm behind this layer takes its bias away again" "say bias=false")
        | _ -> None)

let private linearPairs (wiring: Wiring) =
    let rec next node =
        match wiring.Next node with
        | Some({ Op = (Dropout _ | Identity) } as between) -> next between
        | other -> other

    wiring.Nodes
    |> Seq.choose (fun node ->
        match node.Op, next node with
        | Linear _, Some({ Op = Linear _ } as second) ->
            Some(
                warn
                    "W0103"
                    second
                    $"two linear layers in a row are one: nothing stands between this and the one at {Span.describe node.Span}"
                    "put an activation such as relu between them"
            )
        | _ -> None)

let private softmaxHead (graph: Graph) hasRecipe =
    graph.Nodes
    |> List.filter (fun node -> node.Id = graph.Output && hasRecipe)
    |> List.choose (fun node ->
        match node.Op with
        | Softmax
        | LogSoftmax ->
            Some(
                warn
                    "W0104"
                    node
                    $"training's cross-entropy takes logits and applies its own softmax to the output of this {node.Operator}"
                    "leave it out; predict shows probabilities all the same"
            )
        | _ -> None)

let private nearsighted (graph: Graph) =
    let fields = System.Collections.Generic.Dictionary<int, ReceptiveField.Field>()

    for node in graph.Nodes do
        fields[node.Id] <- ReceptiveField.output node.Op (node.Inputs |> List.map (fun id -> fields[id]))

    match graph.Input with
    | [ _; height; width ] ->
        graph.Nodes
        |> List.tryFindBack (fun node ->
            match node.Op with
            | AdaptiveAvgPool size
            | AdaptiveMaxPool size -> size = Extent.one && not node.TrainingOnly
            | _ -> false)
        |> Option.bind (fun pool ->
            match fields[pool.Inputs.Head] with
            | ReceptiveField.Window(h, w) when
                max h.Size w.Size > 1.0 && (h.Size < float height || w.Size < float width)
                ->
                warn
                    "W0107"
                    pool
                    $"each value that is pooled here has seen {h.Size:F0}×{w.Size:F0} of the {height}×{width} input"
                    "more layers, strides or dilation widen the receptive field"
                |> Some
            | _ -> None)
        |> Option.toList
    | _ -> []

/// Names of values, operators and blocks that a piece of syntax mentions.
let rec private mentioned (expr: Expr) : string seq =
    seq {
        match expr.Kind with
        | Name name -> name
        | Call(name, arguments) ->
            name.Name
            yield! arguments |> Seq.collect (fun a -> mentioned a.Value)
        | StringLiteral parts ->
            for part in parts do
                match part with
                | Hole hole -> yield! mentioned hole
                | Literal _ -> ()
        | ListLiteral items -> yield! Seq.collect mentioned items
        | MapLiteral entries ->
            yield! entries |> Seq.collect (fun (key, value) -> Seq.append (mentioned key) (mentioned value))
        | Unary(_, operand) -> yield! mentioned operand
        | Binary(_, a, b)
        | ElementAt(a, b)
        | LetIn(_, a, b) ->
            yield! mentioned a
            yield! mentioned b
        | Conditional(a, b, c) ->
            yield! mentioned a
            yield! mentioned b
            yield! mentioned c
        | IntLiteral _
        | FloatLiteral _
        | BoolLiteral _
        | NoneLiteral -> ()
    }

let rec private mentionedIn (body: Body) : string seq =
    body.Statements |> Seq.collect mentionedBy

and private mentionedBy (statement: Statement) : string seq =
    let arguments = Seq.collect (fun (a: Argument) -> mentioned a.Value)

    seq {
        yield! statement.Label |> Option.toList |> Seq.collect mentioned

        match statement.Kind with
        | Input sizes -> yield! Seq.collect mentioned sizes
        | StatementKind.Let(_, value) -> yield! mentioned value
        | Assert(condition, message) ->
            yield! mentioned condition
            yield! message |> Option.toList |> Seq.collect mentioned
        | Apply(name, given) ->
            name.Name
            yield! given |> Option.toList |> Seq.collect arguments
        | Repeat(count, _, body) ->
            yield! mentioned count
            yield! mentionedIn body
        | For(_, _, items, body) ->
            yield! mentioned items
            yield! mentionedIn body
        | If(branches, otherwise) ->
            for condition, body in branches do
                yield! mentioned condition
                yield! mentionedIn body

            yield! otherwise |> Option.toList |> Seq.collect mentionedIn
        | Combine(_, given, body)
        | Auxiliary(given, body) ->
            yield! arguments given
            yield! mentionedIn body
        | Group body -> yield! mentionedIn body
        | From name -> name.Name
        | Initialise(rules, _) -> yield! rules |> Seq.collect (fun rule -> mentioned rule.Value)
        | Broken -> ()
    }

let private unused code (name: Ident) what help =
    Diagnostic.warning code name.Span $"{what} '{name.Name}' is never used" |> Diagnostic.withHelp help

/// Blocks that nothing calls, and parameters that their own body never mentions. A file without a network is a library,
/// whose blocks others call.
let private unusedNames (file: File) =
    let bodies =
        file.Declarations
        |> List.collect (fun d ->
            match d.Kind with
            | Block(_, parameters, body)
            | Network(_, parameters, body) -> [ parameters, mentionedIn body ]
            | Function(_, parameters, body) -> [ parameters, mentioned body ]
            | Constant(_, value) -> [ [], mentioned value ]
            | Train(_, settings, _) -> [ [], settings |> Seq.collect (fun s -> mentioned s.Value) ]
            | Import _ -> [])
        |> List.map (fun (parameters, names) ->
            let defaults =
                parameters |> Seq.collect (fun p -> p.Default |> Option.toList |> Seq.collect mentioned)

            parameters, set (Seq.append names defaults))

    let everywhere = bodies |> List.map snd |> Set.unionMany

    let recipes =
        file.Declarations
        |> List.exists (fun d ->
            match d.Kind with
            | Train _ -> true
            | _ -> false)

    let hasNetwork =
        file.Declarations
        |> List.exists (fun d ->
            match d.Kind with
            | Network _ -> true
            | _ -> false)

    [
        for declaration in file.Declarations do
            match declaration.Kind with
            | Block(name, _, _) when hasNetwork && not (everywhere.Contains name.Name) ->
                unused "W0105" name "the block" "remove it, or call it"
            | _ -> ()

        for declaration, (parameters, names) in
            List.zip (file.Declarations |> List.filter (fun d -> not d.Kind.IsImport)) bodies do
            for parameter in parameters do
                // A network's parameter may be there for its recipe.
                let forRecipe =
                    declaration.Kind.IsNetwork && recipes && everywhere.Contains parameter.Name.Name

                if not (names.Contains parameter.Name.Name) && not forRecipe then
                    unused "W0106" parameter.Name "the parameter" "remove it, or use it"
    ]

/// What to say of a network that fits.
let network (graph: Graph) hasRecipe : Diagnostic list =
    let wiring = Wiring graph

    [
        yield! droppedEdges wiring
        yield! biasBeforeNorm wiring
        yield! linearPairs wiring
        yield! softmaxHead graph hasRecipe
        yield! nearsighted graph
    ]

/// What to say of a file as written.
let file (file: File) : Diagnostic list = unusedNames file
