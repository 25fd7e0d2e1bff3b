namespace CnnSpec.Text

[<RequireQualifiedAccess>]
type Severity =
    | Error
    | Warning

/// A span with words under it.
type Label = { Span: Span; Text: string }

/// What the compiler has to say about a spec, as data; `Render` turns it into text, the command line into JSON.
type Diagnostic =
    {
        /// Stable: `E0301` for errors, `W0101` for lint warnings. Every code has a page (`cnnspec explain CODE`).
        Code: string
        Severity: Severity
        /// One line, no full stop: what is wrong.
        Message: string
        /// Where, and what was found there.
        Primary: Label
        /// Where the operands came from: call sites, loops, declarations.
        Related: Label list
        /// The arithmetic or the story that led here, in whole sentences.
        Notes: string list
        /// The one action that mends it.
        Help: string option
    }

[<RequireQualifiedAccess>]
module Diagnostic =

    let private create severity code span message =
        {
            Code = code
            Severity = severity
            Message = message
            Primary = { Span = span; Text = "" }
            Related = []
            Notes = []
            Help = None
        }

    let error code span message = create Severity.Error code span message

    let warning code span message =
        create Severity.Warning code span message

    let withLabel text (diagnostic: Diagnostic) =
        { diagnostic with Primary = { diagnostic.Primary with Text = text } }

    let withRelated labels (diagnostic: Diagnostic) =
        { diagnostic with Related = diagnostic.Related @ labels }

    let withNote note (diagnostic: Diagnostic) =
        { diagnostic with Notes = diagnostic.Notes @ [ note ] }

    let withHelp help (diagnostic: Diagnostic) = { diagnostic with Help = Some help }

    /// Nobody reads more than this: a file with so many is no spec, and reading it ends here.
    let most = 1_000

    let isError (diagnostic: Diagnostic) = diagnostic.Severity = Severity.Error

    /// Source order within a file; the file at `path` first, others in the order in which they first appear. The same
    /// complaint about the same place (a mistake inside a loop, met once per turn) is kept once.
    let inSourceOrder (path: string) (diagnostics: Diagnostic seq) =
        let file (diagnostic: Diagnostic) = diagnostic.Primary.Span.Source.Path

        let order =
            Seq.append [ path ] (Seq.map file diagnostics)
            |> Seq.distinct
            |> Seq.mapi (fun i path -> path, i)
            |> dict

        diagnostics
        |> Seq.distinctBy (fun d -> d.Code, file d, d.Primary.Span.Start, d.Primary.Span.End)
        |> Seq.sortBy (fun d -> order[file d], d.Primary.Span.Start, d.Primary.Span.End)
        |> Seq.toList

/// Bytes of a file to a source.
[<RequireQualifiedAccess>]
module SourceFile =

    /// A spec is text that a person wrote; a larger file (bytes) is not one.
    let largest = 1024 * 1024

    let private strict = System.Text.UTF8Encoding(false, true)

    /// The source, or why the bytes are no text: too many, or not UTF-8.
    let ofBytes path (bytes: byte[]) : Result<Source, Diagnostic> =
        if bytes.Length > largest then
            let beginning = System.Text.Encoding.Latin1.GetString(bytes, 0, 1)
            let source = Source.create path beginning

            Diagnostic.error
                "E0104"
                (Span.create source 0 1)
                $"this file has {bytes.Length} bytes; a spec has at most {largest}"
            |> Error
        else
            try
                Ok(Source.create path (strict.GetString bytes))
            with :? System.Text.DecoderFallbackException as failure ->
                // What comes before the bad byte is text; show the place in a lossy reading of the whole.
                let before = strict.GetString(bytes, 0, max 0 failure.Index)
                let source = Source.create path (System.Text.Encoding.UTF8.GetString bytes)

                Diagnostic.error
                    "E0104"
                    (Span.create source before.Length (before.Length + 1))
                    "this file is not UTF-8 text"
                |> Diagnostic.withLabel $"the byte 0x%02X{bytes[max 0 failure.Index]} begins no character"
                |> Diagnostic.withHelp "save the file as UTF-8"
                |> Error
