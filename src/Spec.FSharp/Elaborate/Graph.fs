namespace CnnSpec.Elaborate

open CnnSpec.Text
open CnnSpec.Operators

/// What led to a layer. Words are made only where a message shows them: most layers are never complained about.
type Step =
    | Expanding of block: string * path: string
    /// `item` is what the turn is about, where there is one: `out = 128`.
    | Iteration of number: int64 * count: int64 * item: (string * Value) option

/// A step of expansion that led to a layer: a call of a block, an iteration of a loop.
type Frame =
    {
        Span: Span
        Step: Step
    }

    member this.Text =
        match this.Step with
        | Expanding(path = path) -> $"while expanding {path}"
        | Iteration(number, count, Some(name, (Int _ | Float _ | Bool _ as value))) ->
            $"in iteration {number} of {count}, {name} = {Value.describe value}"
        | Iteration(number, count, _) -> $"in iteration {number} of {count}"

/// One operation with everything known about it. Inputs are ids of earlier nodes.
type Node =
    {
        Id: int
        /// Where its weights are named: `layer1.0.conv1`.
        Path: string
        /// As the spec names it: `conv`, `add`.
        Operator: string
        Op: Op
        Inputs: int list
        Shape: Shape
        Weights: Weight list
        Span: Span
        /// Innermost first.
        Frames: Frame list
        /// Only there while training: part of an auxiliary head.
        TrainingOnly: bool
    }

/// An auxiliary head: which node gives its logits, and what its loss counts.
type AuxiliaryHead = { Node: int; Weight: float }

/// `selector = initialiser` with a selector such as `conv`, `bias`, `linear.weight` or a path.
type InitialiserRule = { Selector: string; Initialiser: Initialiser; Span: Span }

/// A network with all loops run, all blocks expanded and all shapes known. Nodes are in the order of execution.
type Graph =
    {
        Name: string
        Nodes: Node list
        Input: Shape
        Output: int
        Auxiliaries: AuxiliaryHead list
        Initialisers: InitialiserRule list
        /// The network's parameters and the values they had.
        Arguments: (string * Value) list
        Span: Span
    }

/// How weights are named. A label or a block's call opens a scope; an unlabelled layer takes the next number of its
/// scope, as in PyTorch's `nn.Sequential`; loops, conditions, groups and combinators open none.
type internal Naming(prefix: string) =
    let taken = System.Collections.Generic.Dictionary<string, Span>()
    let decorative = System.Collections.Generic.Dictionary<string, int>()
    let mutable next = 0

    member _.Prefix = prefix

    member _.Path(name: string) =
        if prefix = "" then name else prefix + "." + name

    /// The next number.
    member _.Number() =
        let number = next
        next <- next + 1
        string number

    /// Takes a name; gives back where it was taken before.
    member _.Take(name: string, span: Span) =
        match taken.TryGetValue name with
        | true, before -> Some before
        | _ ->
            taken[name] <- span
            None

    /// A name for an operation without weights, which nothing refers to: `add`, `add_2` …
    member _.Decorative(name: string) =
        let _, before = decorative.TryGetValue name
        let count = before + 1
        decorative[name] <- count
        if count = 1 then name else $"{name}_{count}"

/// The graph while it grows.
type internal Builder(budget: Budget) =
    let nodes = ResizeArray<Node>()

    member _.Nodes = nodes

    member _.Item
        with get id = nodes[id]

    member _.Append(make: int -> Node) =
        let node = make nodes.Count
        budget.Layer(node.Span, nodes.Count)
        // Names as long as pages, a layer each, would fill the memory.
        budget.Spend(node.Span, node.Path.Length / 16)
        nodes.Add node
        node
