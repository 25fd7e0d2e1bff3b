/// What YAML says, as the `.cnn` it stands for.
module CnnSpec.Spec.Tests.Syntax.YamlTests

open CnnSpec.Text
open CnnSpec.Syntax
open CnnSpec.Spec.Tests.Testing
open Expecto

let private inCnn yaml =
    Printer.print (Trees.parse SpecSyntax.Yaml "spec.yaml" yaml)

/// A statement of a body.
let private says (yaml: string) (cnn: string) =
    let yaml = "- network: N\n  body:\n  - " + yaml.Replace("\n", "\n    ") + "\n"
    Expect.equal (inCnn yaml) $"network N {{\n  {cnn}\n}}\n" "the canonical form"

[<Tests>]
let tests =
    testList
        "YAML"
        [
            cases
                "layers"
                [
                    "relu", "relu"
                    "conv(64, kernel=3)", "conv(64, kernel=3)"
                    "conv: [64, kernel: 3]", "conv(64, kernel=3)"
                    "conv: {out_channels: 64, kernel: 3}", "conv(out_channels=64, kernel=3)"
                    "linear: classes", "linear(classes)"
                    "avg_pool: [[2, 4]]", "avg_pool([2, 4])"
                    "batch_norm:", "batch_norm"
                    "batch_norm: []", "batch_norm()"
                    "Inception: [{3x3: 32}, act]", "Inception({\"3x3\": 32}, act)"
                    "conv:\n- widths[i]\n- kernel: 3", "conv(widths[i], kernel=3)"
                    "conv: ['{widths[i]}', kernel: 3]", "conv(widths[i], kernel=3)"
                    "conv:\n  out_channels: 64\n  kernel: 3", "conv(out_channels=64, kernel=3)"
                ]
            <| fun (yaml: string, cnn: string) -> says yaml cnn

            cases
                "statements"
                [
                    "input: [3, 32, 32]", "input 3 x 32 x 32"
                    "input: 3 x 32 x 32", "input 3 x 32 x 32"
                    "[relu, tanh]", "relu; tanh"
                    "repeat: 2\nindex: i\ndo: [relu]", "repeat 2 as i { relu }"
                    "for: n\nindex: i\nin: [1, 2]\ndo: [relu]", "for n, i in [1, 2] { relu }"
                    "if: a\nthen: [relu]\nelse: [tanh]", "if a { relu } else { tanh }"
                    "if: a\nthen: [relu]\nelse: {if: b, then: [tanh]}", "if a { relu } else if b { tanh }"
                    "concat: [[relu, tanh], identity]", "concat { { relu; tanh }; identity }"
                    "mul: [a, b]\nwith: {broadcast: true}", "mul(broadcast=true) { a; b }"
                    "aux: [flatten]\nwith: {weight: 0.4}", "aux(weight=0.4) { flatten }"
                    "{label: 'layer{i}', relu, as: skip}", "\"layer{i}\": relu as skip"
                    "split: 2\nas: [left, right]", "split(2) as left, right"
                    "assert: channels == 3\nmessage: \"not {channels}\"", "assert channels == 3, \"not {channels}\""
                    "init: {conv.weight: 0, bias: 1}", "init { conv.weight = 0; bias = 1 }"
                    "group: [relu]", "{ relu }"
                    "from: skip", "from skip"
                    "apply: label(3)", "label(3)"
                ]
            <| fun (yaml: string, cnn: string) -> says yaml cnn

            cases
                "values"
                [
                    "\"a {{b}} {c}\"", "\"a \\{b\\} {c}\""
                    "'say \"{f(\"x\")}\"'", "\"say \\\"{f(\"x\")}\\\"\""
                    "'it''s'", "\"it's\""
                    "\"{a}\"", "a"
                    "\"{\\\"{a}\\\"}\"", "\"{a}\""
                    "|\n  a +\n  b", "a + b"
                    "a +\n  b", "a + b"
                    "{}", "{}"
                    "[]", "[]"
                    "none", "none"
                ]
            <| fun (yaml: string, cnn: string) -> says ("let:\n  v: " + yaml.Replace("\n", "\n  ")) ("let v = " + cnn)

            testCase "functions"
            <| fun () ->
                let yaml =
                    "- fn: f\n  parameters: [x, y: 2]\n  let:\n  - a: x + y\n  - b: 2 * a\n  returns: max(a, b)\n"

                Expect.equal
                    (inCnn yaml)
                    "fn f(x, y = 2) {\n  let a = x + y\n  let b = 2 * a\n  max(a, b)\n}\n"
                    "the canonical form"

            testCase "comments stay where they were"
            <| fun () ->
                let yaml =
                    "# above\n- network: N # behind\n  body: # too\n  # first\n  - relu # one\n\n  - repeat: 2\n    do:\n    - tanh\n    # in\n  # out\n# end\n"

                Expect.equal
                    (inCnn yaml)
                    "// above\n// behind\nnetwork N {\n  // first\n  relu // one\n\n  repeat 2 {\n    tanh\n    // in\n  }\n  // out\n} // too\n// end\n"
                    "the canonical form"

            cases "an empty file is an empty spec" [ ""; "\ufeff"; "---\n"; "[]" ]
            <| fun (yaml: string) -> Expect.isEmpty (inCnn yaml) "the canonical form"

            testCase "spans are exact behind a byte order mark, Windows line ends and wide characters"
            <| fun () ->
                let text = "\ufeff- let: {größe: \"😀\"} # c\r\n- let: {b: größe + 1}\r\n"
                let file = Trees.parse SpecSyntax.Yaml "spec.yaml" text

                let spans =
                    file.Declarations
                    |> List.map (fun d ->
                        match d.Kind with
                        | Constant(name, value) -> Span.text name.Span, Span.text value.Span
                        | _ -> "", "")

                Expect.equal spans [ "größe", "\"😀\""; "b", "größe + 1" ] "the spans"

            testCase "spans in quotes with escapes are exact"
            <| fun () ->
                let text = "- let: {a: \"\\t{width}\"}\n"

                match (Trees.parse SpecSyntax.Yaml "spec.yaml" text).Declarations with
                | [ { Kind = Constant(_, { Kind = StringLiteral [ Literal "\t"; Hole hole ] }) } ] ->
                    Expect.equal (Span.text hole.Span) "width" "the span"
                | other -> failtest $"%A{other}"
        ]
