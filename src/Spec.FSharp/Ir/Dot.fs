/// A program as a graph in the DOT language of Graphviz, blocks as boxes around their layers.
module CnnSpec.Ir.Dot

open System.Text
open CnnSpec.Operators

let private quoted (text: string) =
    "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\""

/// What a layer's box says: the operation with the sizes that tell it from others.
let label (node: IrNode) =
    let stride (s: Extent) =
        if s = Extent.one then "" else $", stride {s}"

    match node.Op with
    | Conv c -> $"{c.Kernel.Height}×{c.Kernel.Width} conv, {c.OutChannels}{stride c.Stride}"
    | ConvTranspose c -> $"{c.Kernel.Height}×{c.Kernel.Width} conv transposed, {c.OutChannels}{stride c.Stride}"
    | MaxPool p -> $"{p.Kernel.Height}×{p.Kernel.Width} max pool{stride p.Stride}"
    | AvgPool p -> $"{p.Kernel.Height}×{p.Kernel.Width} avg pool{stride p.Stride}"
    | Linear(outFeatures, _) -> $"linear, {outFeatures}"
    | Op.Input -> $"input {Shape.compact node.Shape}"
    | Add -> "+"
    | Multiply _ -> "×"
    | _ -> node.Operator.Replace('_', ' ')

/// The scopes around a layer, outermost first: `layer1`, `layer1.0`.
let private scopes (path: string) =
    let parts = path.Split '.'
    [ for length in 1 .. parts.Length - 1 -> System.String.Join(".", parts[.. length - 1]) ]

/// Depth of the boxes drawn: 0 none, 1 the outermost scopes, and so on.
let write (program: Program) (depth: int) : string =
    let output = StringBuilder()

    let line (indent: int) (text: string) =
        output.Append(' ', 2 * indent).Append(text).Append('\n') |> ignore

    let nodes = List.toArray program.Nodes
    let numbered = program.Nodes |> List.indexed
    line 0 $"digraph {quoted program.Network} {{"
    line 1 "rankdir=TB; fontname=\"Helvetica\"; ranksep=0.3; nodesep=0.25;"

    line
        1
        "node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"Helvetica\", fontsize=11, margin=\"0.12,0.05\"];"

    line 1 "edge [fontname=\"Helvetica\", fontsize=9, color=\"#555555\", arrowsize=0.6];"

    let colour (node: IrNode) =
        match node.Op with
        | Conv _
        | ConvTranspose _ -> "#dbe9f6"
        | Linear _ -> "#e5dff0"
        | MaxPool _
        | AvgPool _
        | AdaptiveAvgPool _
        | AdaptiveMaxPool _ -> "#fde3d0"
        | BatchNorm _
        | LayerNorm _
        | GroupNorm _
        | InstanceNorm _
        | LocalResponseNorm _ -> "#eaf2da"
        | Add
        | Multiply _
        | Concat -> "#f6f1c8"
        | _ -> "white"

    let box indent (index, node: IrNode) =
        let dashed =
            if node.TrainingOnly then
                ", style=\"rounded,filled,dashed\""
            else
                ""

        line indent $"n{index} [label={quoted (label node)}, fillcolor=\"{colour node}\"{dashed}];"

    let rec group indent prefix level (members: (int * IrNode) list) =
        // Layers that lie in a deeper scope are drawn in its box; others stand alone, in their order.
        let inner (_, node: IrNode) =
            scopes node.Path
            |> List.tryItem level
            |> Option.filter (fun scope -> level < depth && scope <> prefix)

        for scope, members in members |> List.groupBy inner do
            match scope with
            | None -> List.iter (box indent) members
            | Some scope ->
                let name = quoted ("cluster_" + scope)
                line indent $"subgraph {name} {{"

                line
                    (indent + 1)
                    $"label={quoted scope}; style=\"rounded\"; color=\"#bbbbbb\"; fontsize=10; fontcolor=\"#777777\";"

                group (indent + 1) scope (level + 1) members
                line indent "}"

    group 1 "" 0 numbered

    for index, node in numbered do
        for input in node.Inputs do
            line 1 $"n{input} -> n{index} [label={quoted (Shape.compact nodes[input].Shape)}];"

    line 0 "}"
    output.ToString()
