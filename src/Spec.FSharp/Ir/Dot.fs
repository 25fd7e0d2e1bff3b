/// A figure in the DOT language of Graphviz.
module CnnSpec.Ir.Dot

open System.Text
open CnnSpec.Operators
open CnnSpec.Ir.Figure

let private escaped (text: string) =
    text.Replace("&", "&amp;").Replace("<", "&lt;").Replace(">", "&gt;").Replace("\"", "&quot;")

let private quoted (text: string) =
    "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"") + "\""

let private colour (box: Box) =
    match box.Op with
    | None -> "#dfe7f2"
    | Some op ->
        match op with
        | Op.Input -> "#eeeeee"
        | Conv _
        | ConvTranspose _ -> "#d3e5f5"
        | Linear _ -> "#e3dcf0"
        | MaxPool _
        | AvgPool _
        | AdaptiveAvgPool _
        | AdaptiveMaxPool _ -> "#fbdcc4"
        | BatchNorm _
        | LayerNorm _
        | GroupNorm _
        | InstanceNorm _
        | LocalResponseNorm _ -> "#e2efd5"
        | Add
        | Multiply _
        | Concat -> "#f7efc0"
        | _ -> "#f7f7f7"

let private label (box: Box) =
    let size (shape: Shape) =
        shape |> List.map string |> String.concat "×"

    let line (line: Line) =
        if line.IsMajor then
            $"<b>{escaped line.Text}</b>"
        else
            $"<font color=\"#444444\">{escaped line.Text}</font>"

    let count =
        if box.Repeats > 1 then
            $"<b>&#160;×{box.Repeats}</b>"
        else
            ""

    let lines =
        match List.map line box.Lines with
        | first :: rest -> (first + count) :: rest
        | [] -> []

    let shape =
        box.Output
        |> Option.map (fun shape -> $"<font point-size=\"8.5\" color=\"#777777\">{size shape}</font>")
        |> Option.toList

    "<" + String.concat "<br/>" (lines @ shape) + ">"

let write (figure: Figure) : string =
    let output = StringBuilder()

    let line (indent: int) (text: string) =
        output.Append(' ', 2 * indent).Append(text).Append('\n') |> ignore

    let box indent drawing position (box: Box) =
        // A folded block has double borders: it is opened elsewhere.
        let border =
            match box.Op with
            | None -> ", peripheries=2, color=\"#4a6785\""
            | Some _ -> ""

        let style =
            if box.TrainingOnly then
                ", style=\"rounded,filled,dashed\""
            else
                ""

        line indent $"n{drawing}_{position} [label={label box}, fillcolor=\"{colour box}\"{border}{style}];"

    /// Boxes with the opened blocks around them, which share `level` ones already.
    let rec boxes indent drawing level (members: (int * Box) list) =
        let runs =
            ([], members)
            ||> List.fold (fun runs (position, box) ->
                let around = List.tryItem level box.Within

                match runs with
                | (before, inside) :: rest when before = around -> (before, (position, box) :: inside) :: rest
                | _ -> (around, [ position, box ]) :: runs)
            |> List.rev

        for around, inside in runs do
            match around with
            | None -> inside |> List.rev |> List.iter (fun (position, one) -> box indent drawing position one)
            | Some(path, name) ->
                cluster indent $"{drawing}_{path}" $"{name} · {path}" (fun indent ->
                    boxes indent drawing (level + 1) (List.rev inside))

    and cluster indent key title content =
        let name = "cluster_" + key
        line indent $"subgraph {quoted name} {{"
        line (indent + 1) $"label={quoted title}; style=\"rounded\"; color=\"#aaaaaa\"; fontsize=11; margin=12;"
        content (indent + 1)
        line indent "}"

    let draw indent drawing (whole: Drawing) =
        boxes indent drawing 0 (List.indexed whole.Boxes)

        whole.Boxes
        |> List.iteri (fun position box ->
            for input in box.Inputs do
                line indent $"n{drawing}_{input} -> n{drawing}_{position};")

    line 0 $"digraph {quoted figure.Network.Title} {{"
    line 1 "rankdir=TB; fontname=\"Helvetica,Arial,sans-serif\"; ranksep=0.28; nodesep=0.3;"

    line
        1
        "node [shape=box, style=\"rounded,filled\", fontname=\"Helvetica,Arial,sans-serif\", fontsize=10.5, margin=\"0.16,0.07\", color=\"#666666\", penwidth=0.8];"

    line 1 "edge [color=\"#555555\", arrowsize=0.55, penwidth=0.8];"
    draw 1 0 figure.Network

    figure.Blocks
    |> List.iteri (fun index block ->
        cluster 1 $"block_{index}" block.Title (fun indent -> draw indent (index + 1) block))

    line 0 "}"
    output.ToString()
