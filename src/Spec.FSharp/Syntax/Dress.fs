namespace CnnSpec.Syntax

open CnnSpec.Text

/// The two ways to write a spec down. Both are the same tree.
[<RequireQualifiedAccess>]
type Dress =
    | Cnn
    | Yaml

[<RequireQualifiedAccess>]
module Dress =

    /// By the ending of a file's name.
    let ofPath (path: string) =
        if path.EndsWith ".yaml" || path.EndsWith ".yml" then
            Dress.Yaml
        else
            Dress.Cnn

    let parse (dress: Dress) (source: Source) : File * Diagnostic list =
        match dress with
        | Dress.Cnn -> CnnParser.parse source
        | Dress.Yaml -> YamlReader.parse source

    /// The canonical text. Which statements share a line is decided once, by the `.cnn` printer with its width; the YAML
    /// dress follows it, so that converting there and back changes nothing.
    let print (dress: Dress) (file: File) : string =
        let text = Printer.print file

        match dress with
        | Dress.Cnn -> text
        | Dress.Yaml -> Source.create file.Source.Path text |> CnnParser.parse |> fst |> YamlPrinter.print
