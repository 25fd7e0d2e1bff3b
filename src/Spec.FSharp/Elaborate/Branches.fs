/// Words for branches that do not fit together: what each did to its input, and what would mend it.
module internal CnnSpec.Elaborate.Branches

open CnnSpec.Text
open CnnSpec.Operators
open CnnSpec.Shape
open CnnSpec.Syntax

/// The end of one branch of a combinator.
type Branch =
    {
        /// Its label or tensor name, or `branch 2`.
        Name: string
        Node: Node
    }

let private ratio (before: int64) (after: int64) =
    if after < before && before % after = 0L && before / after = 2L then
        "halves"
    elif after < before then
        "shrinks"
    elif after > before then
        "enlarges"
    else
        "keeps"

/// The nodes of a branch from its end back to where the branches part.
let private chain (builder: Builder) (fork: int) (last: Node) =
    let rec walk (node: Node) found =
        if node.Id <= fork then
            found
        else
            match node.Inputs with
            | first :: _ -> walk builder[first] (node :: found)
            | [] -> node :: found

    walk last [] |> List.filter (fun node -> node.Op <> Identity)

let private spatial (shape: Shape) =
    match shape with
    | [ _; h; w ] -> Some(h, w)
    | _ -> None

/// `main halves H and W (conv at 9:5, stride 2) and has 128 channels`
let private story (builder: Builder) (fork: int) (branch: Branch) =
    let nodes = chain builder fork branch.Node

    let changes =
        nodes
        |> List.choose (fun node ->
            match node.Inputs with
            | [] -> None
            | input :: _ ->
                let before = builder[input].Shape

                match spatial before, spatial node.Shape with
                | Some(h, w), Some(h', w') when (h, w) <> (h', w') ->
                    let verb = if h <> h' then ratio h h' else ratio w w'

                    let axes =
                        if h <> h' && w <> w' then "H and W"
                        elif h <> h' then "H"
                        else "W"

                    let stride =
                        match node.Op with
                        | Conv c when c.Stride <> Extent.one -> $", stride {c.Stride}"
                        | MaxPool p when p.Stride <> Extent.one -> $", stride {p.Stride}"
                        | AvgPool p when p.Stride <> Extent.one -> $", stride {p.Stride}"
                        | _ -> ""

                    Some $"{verb} {axes} ({node.Operator} at {Span.describe node.Span}{stride})"
                | _ -> None)

    if nodes.IsEmpty then
        $"{branch.Name} is the input, unchanged"
    else
        let channels =
            match branch.Node.Shape with
            | [ features ] -> $"has {features} features"
            | shape -> $"has {shape.Head} channels"

        let changes =
            match changes with
            | [] -> [ "keeps H and W" ]
            | few when few.Length <= 3 -> few
            | many -> List.truncate 2 many @ [ $"… ({many.Length} changes in all)" ]

        $"""{branch.Name} {String.concat ", " changes} and {channels}"""

/// The node where all branches part: the nearest one that leads to each of them.
let private fork (builder: Builder) (branches: Branch list) =
    let ancestors (branch: Branch) =
        let rec walk found pending =
            match pending with
            | [] -> found
            | id :: rest when Set.contains id found -> walk found rest
            | id :: rest -> walk (Set.add id found) (builder[id].Inputs @ rest)

        walk Set.empty [ branch.Node.Id ]

    // The input leads to all of them.
    branches |> List.map ancestors |> Set.intersectMany |> Set.maxElement

/// What would let each of these branches keep the size it began with: `conv at 5:5 needs padding=1`. Only where all that
/// shrinks them is odd windows that step by one, or pools that step by their kernel because nothing else was said.
let private missingPadding (builder: Builder) (fork: int) (branches: Branch list) =
    let square (extent: Extent) = extent.Height = extent.Width

    let remedy (kernel: Extent) (stride: Extent) (dilation: Extent) isPool =
        let reach = (kernel.Height - 1) * dilation.Height
        let steps = isPool && stride = kernel

        if reach % 2 = 0 && List.forall square [ kernel; dilation ] && (steps || stride = Extent.one) then
            Some((if steps then "stride=1, " else "") + $"padding={reach / 2}")
        else
            None

    let needed (node: Node) =
        match node.Inputs with
        | input :: _ when spatial builder[input].Shape <> spatial node.Shape ->
            let remedy =
                match node.Op with
                | Conv c -> remedy c.Kernel c.Stride c.Dilation false
                | MaxPool p -> remedy p.Kernel p.Stride p.Dilation true
                | AvgPool p -> remedy p.Kernel p.Stride Extent.one true
                | _ -> None

            Some(remedy |> Option.map (fun remedy -> $"{node.Operator} at {Span.describe node.Span} needs {remedy}"))
        | _ -> None

    let words =
        branches |> List.collect (fun branch -> chain builder fork branch.Node |> List.choose needed)

    if words.IsEmpty || words.Length > 3 || List.exists Option.isNone words then
        None
    else
        Some("to keep the size, " + (words |> List.choose id |> List.distinct |> String.concat ", "))

/// One sentence that would make the branches agree, where a usual remedy applies.
let private remedy (builder: Builder) (fork: int) (branches: Branch list) =
    let projection () =
        match branches with
        | [ a; b ] ->
            match a.Node.Shape, b.Node.Shape with
            | [ c1; h1; w1 ], [ c2; h2; w2 ] ->
                // The branch with the larger map is the one to project.
                let from, c, (h, w), (h', w') =
                    if h1 * w1 <= h2 * w2 then
                        b.Name, c1, (h2, w2), (h1, w1)
                    else
                        a.Name, c2, (h1, w1), (h2, w2)

                if h % h' = 0L && w % w' = 0L && h / h' = w / w' then
                    let stride = h / h'
                    let strided = if stride > 1L then $", stride={stride}" else ""
                    Some $"project {from}: conv({c}, kernel=1{strided})"
                elif (h, w) <> (h', w') then
                    Some "give both branches the same strides, and padding that keeps their sizes equal"
                else
                    None
            | [ _ ], [ _; _; _ ]
            | [ _; _; _ ], [ _ ] -> Some "flatten both branches, or neither"
            | _ -> None
        | _ -> None

    missingPadding builder fork branches |> Option.orElseWith projection

/// What to say where branches do not fit: their shapes in short, and the mismatch with the branches' story and a way out.
let explain (builder: Builder) kind (mismatch: Mismatch) (branches: Branch list) : string * Mismatch =
    let fork = fork builder branches

    let shapes =
        branches |> List.map (fun b -> $"{b.Name} is {Shape.describe b.Node.Shape}") |> String.concat ", "

    let story = (branches |> List.map (story builder fork) |> String.concat "; ") + "."

    let isGate (branch: Branch) =
        List.tail branch.Node.Shape |> List.forall ((=) 1L)

    let help =
        match mismatch.Help, kind with
        | Some help, _ -> Some help
        | None, Product when List.exists isGate branches ->
            Some "to scale channels by a [C, 1, 1] map, say so: mul(broadcast=true)"
        | None, Concat ->
            missingPadding builder fork branches
            |> Option.orElse (Some "give all branches the same strides, and padding that keeps their sizes equal")
        | None, _ -> remedy builder fork branches

    shapes, { mismatch with Notes = [ story ]; Help = help }
