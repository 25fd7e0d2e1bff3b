/// What YAML says, as the `.cnn` it stands for.
module CnnSpec.Syntax.Tests.YamlTests

open CnnSpec.Text
open CnnSpec.Syntax
open NUnit.Framework

let private inCnn yaml =
    Printer.print (Trees.parse SpecSyntax.Yaml "spec.yaml" yaml)

/// A statement of a body.
let private says (yaml: string) (cnn: string) =
    let yaml = "- network: N\n  body:\n  - " + yaml.Replace("\n", "\n    ") + "\n"
    Assert.That(inCnn yaml, Is.EqualTo $"network N {{\n  {cnn}\n}}\n")

[<TestCase("relu", "relu")>]
[<TestCase("conv(64, kernel=3)", "conv(64, kernel=3)")>]
[<TestCase("conv: [64, kernel: 3]", "conv(64, kernel=3)")>]
[<TestCase("conv: {out_channels: 64, kernel: 3}", "conv(out_channels=64, kernel=3)")>]
[<TestCase("linear: classes", "linear(classes)")>]
[<TestCase("avg_pool: [[2, 4]]", "avg_pool([2, 4])")>]
[<TestCase("batch_norm:", "batch_norm")>]
[<TestCase("batch_norm: []", "batch_norm()")>]
[<TestCase("Inception: [{3x3: 32}, act]", "Inception({\"3x3\": 32}, act)")>]
[<TestCase("conv:\n- widths[i]\n- kernel: 3", "conv(widths[i], kernel=3)")>]
[<TestCase("conv: ['{widths[i]}', kernel: 3]", "conv(widths[i], kernel=3)")>]
[<TestCase("conv:\n  out_channels: 64\n  kernel: 3", "conv(out_channels=64, kernel=3)")>]
let ``layers`` (yaml: string, cnn: string) = says yaml cnn

[<TestCase("input: [3, 32, 32]", "input 3 x 32 x 32")>]
[<TestCase("input: 3 x 32 x 32", "input 3 x 32 x 32")>]
[<TestCase("[relu, tanh]", "relu; tanh")>]
[<TestCase("repeat: 2\nindex: i\ndo: [relu]", "repeat 2 as i { relu }")>]
[<TestCase("for: n\nindex: i\nin: [1, 2]\ndo: [relu]", "for n, i in [1, 2] { relu }")>]
[<TestCase("if: a\nthen: [relu]\nelse: [tanh]", "if a { relu } else { tanh }")>]
[<TestCase("if: a\nthen: [relu]\nelse: {if: b, then: [tanh]}", "if a { relu } else if b { tanh }")>]
[<TestCase("concat: [[relu, tanh], identity]", "concat { { relu; tanh }; identity }")>]
[<TestCase("mul: [a, b]\nwith: {broadcast: true}", "mul(broadcast=true) { a; b }")>]
[<TestCase("aux: [flatten]\nwith: {weight: 0.4}", "aux(weight=0.4) { flatten }")>]
[<TestCase("{label: 'layer{i}', relu, as: skip}", "\"layer{i}\": relu as skip")>]
[<TestCase("split: 2\nas: [left, right]", "split(2) as left, right")>]
[<TestCase("assert: channels == 3\nmessage: \"not {channels}\"", "assert channels == 3, \"not {channels}\"")>]
[<TestCase("init: {conv.weight: 0, bias: 1}", "init { conv.weight = 0; bias = 1 }")>]
[<TestCase("group: [relu]", "{ relu }")>]
[<TestCase("from: skip", "from skip")>]
[<TestCase("apply: label(3)", "label(3)")>]
let ``statements`` (yaml: string, cnn: string) = says yaml cnn

[<TestCase("\"a {{b}} {c}\"", "\"a \\{b\\} {c}\"")>]
[<TestCase("'say \"{f(\"x\")}\"'", "\"say \\\"{f(\"x\")}\\\"\"")>]
[<TestCase("'it''s'", "\"it's\"")>]
[<TestCase("\"{a}\"", "a")>]
[<TestCase("\"{\\\"{a}\\\"}\"", "\"{a}\"")>]
[<TestCase("|\n  a +\n  b", "a + b")>]
[<TestCase("a +\n  b", "a + b")>]
[<TestCase("{}", "{}")>]
[<TestCase("[]", "[]")>]
[<TestCase("none", "none")>]
let ``values`` (yaml: string, cnn: string) =
    says ("let:\n  v: " + yaml.Replace("\n", "\n  ")) ("let v = " + cnn)

[<Test>]
let ``functions`` () =
    let yaml =
        "- fn: f\n  parameters: [x, y: 2]\n  let:\n  - a: x + y\n  - b: 2 * a\n  returns: max(a, b)\n"

    Assert.That(inCnn yaml, Is.EqualTo "fn f(x, y = 2) {\n  let a = x + y\n  let b = 2 * a\n  max(a, b)\n}\n")

[<Test>]
let ``comments stay where they were`` () =
    let yaml =
        "# above\n- network: N # behind\n  body: # too\n  # first\n  - relu # one\n\n  - repeat: 2\n    do:\n    - tanh\n    # in\n  # out\n# end\n"

    Assert.That(
        inCnn yaml,
        Is.EqualTo
            "// above\n// behind\nnetwork N {\n  // first\n  relu // one\n\n  repeat 2 {\n    tanh\n    // in\n  }\n  // out\n} // too\n// end\n"
    )

[<TestCase("")>]
[<TestCase("\ufeff")>]
[<TestCase("---\n")>]
[<TestCase("[]")>]
let ``an empty file is an empty spec`` (yaml: string) = Assert.That(inCnn yaml, Is.Empty)

[<Test>]
let ``spans are exact behind a byte order mark, Windows line ends and wide characters`` () =
    let text = "\ufeff- let: {größe: \"😀\"} # c\r\n- let: {b: größe + 1}\r\n"
    let file = Trees.parse SpecSyntax.Yaml "spec.yaml" text

    let spans =
        file.Declarations
        |> List.map (fun d ->
            match d.Kind with
            | Constant(name, value) -> Span.text name.Span, Span.text value.Span
            | _ -> "", "")

    Assert.That(spans, Is.EqualTo<(string * string) list> [ "größe", "\"😀\""; "b", "größe + 1" ])

[<Test>]
let ``spans in quotes with escapes are exact`` () =
    let text = "- let: {a: \"\\t{width}\"}\n"

    match (Trees.parse SpecSyntax.Yaml "spec.yaml" text).Declarations with
    | [ { Kind = Constant(_, { Kind = StringLiteral [ Literal "\t"; Hole hole ] }) } ] ->
        Assert.That(Span.text hole.Span, Is.EqualTo "width")
    | other -> Assert.Fail $"%A{other}"
