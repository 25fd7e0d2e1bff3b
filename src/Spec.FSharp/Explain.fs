/// The page of a diagnostic code: what it means, a spec that is wrong in this way, what the compiler says, and the spec mended.
/// `cnnspec explain` prints it; docs/errors holds it.
module CnnSpec.Explain

open System.Text
open CnnSpec.Text
open CnnSpec.Ir

/// What the example of a missing import finds once its name is right.
let private read name =
    match name with
    | "blocks.cnn" -> Ok "block ConvBlock(out) { conv(out, kernel=3, padding=1, bias=false); batch_norm; relu }"B
    | _ -> Error "there is no such file"

/// An example as the compiler sees it. The one about encodings is saved as Latin-1, the one about YAML is YAML.
let compile (code: string) (example: string) : Diagnostic list =
    let encoding = if code = "E0104" then Encoding.Latin1 else Encoding.UTF8
    let name = if code = "E0105" then "example.yaml" else "example.cnn"

    let options =
        { CompileOptions.Alone with
            Read = read
            Folder =
                fun path ->
                    if path.StartsWith "missing" then
                        Unusable $"there is no folder {path}"
                    else
                        NotLooked
        }

    (Compile.bytes options name (encoding.GetBytes example)).Diagnostics

let private fenced (text: string) = $"```\n{text.TrimEnd()}\n```"

/// Markdown, which reads well on a terminal.
let page (explanation: Explanation) : string =
    let said = Render.all Render.plain (compile explanation.Code explanation.Wrong)

    String.concat
        "\n\n"
        [
            $"# {explanation.Code}: {explanation.Title}"
            explanation.Text
            fenced explanation.Wrong
            fenced said
            "Mended:"
            fenced explanation.Right + "\n"
        ]

/// The list of all pages, as `docs/errors/README.md` shows it.
let index: string =
    let line (e: Explanation) =
        $"| [{e.Code}]({e.Code}.md) | {e.Title} |"

    let lines = Codes.Table.all |> List.map line |> String.concat "\n"
    $"# Diagnostics\n\n`cnnspec explain CODE` prints these pages.\n\n| code | |\n|---|---|\n{lines}\n"
