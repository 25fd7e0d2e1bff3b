namespace CnnSpec.Text

/// What `cnnspec explain` and the pages in docs/errors say about one code.
type Explanation =
    {
        Code: string
        /// A few words, no full stop.
        Title: string
        /// What it means and what to do, in plain sentences.
        Text: string
        /// A small spec whose first diagnostic has this code, and only this code.
        Wrong: string
        /// The same spec, mended.
        Right: string
    }

[<RequireQualifiedAccess>]
module Explanation =

    /// Text without the indentation that its lines share.
    let private unindented (text: string) =
        let lines =
            text.TrimEnd().Split '\n' |> Array.skipWhile (fun line -> line.Trim() = "")

        let margin =
            lines
            |> Array.filter (fun line -> line.Trim() <> "")
            |> Array.map (fun line -> line.Length - line.TrimStart().Length)
            |> Array.fold min System.Int32.MaxValue

        lines |> Array.map (fun line -> line.Substring(min margin line.Length)) |> String.concat "\n"

    let create code title text wrong right =
        {
            Code = code
            Title = title
            Text = unindented text
            Wrong = unindented wrong
            Right = unindented right
        }
