namespace CnnSpec.Syntax

open System
open CnnSpec.Text

/// The two ways to write a spec. Both are the same tree.
[<RequireQualifiedAccess>]
type SpecSyntax =
    | Cnn
    | Yaml

[<RequireQualifiedAccess>]
module SpecSyntax =

    /// By the ending of a file's name.
    let ofPath (path: string) =
        let isNamed ending =
            path.EndsWith(ending, StringComparison.OrdinalIgnoreCase)

        if isNamed ".yaml" || isNamed ".yml" then
            SpecSyntax.Yaml
        else
            SpecSyntax.Cnn

    let parseAs (syntax: SpecSyntax) (source: Source) : File * Diagnostic list =
        match syntax with
        | SpecSyntax.Cnn -> CnnParser.parse source
        | SpecSyntax.Yaml -> YamlReader.parse source

    /// Text to tree, in the syntax that the file's name tells.
    let parse (source: Source) : File * Diagnostic list = parseAs (ofPath source.Path) source

    /// The canonical text. Which statements share a line is decided once, by the `.cnn` printer with its width; YAML
    /// follows it, so that converting there and back changes nothing.
    let print (syntax: SpecSyntax) (file: File) : string =
        let text = Printer.print file

        match syntax with
        | SpecSyntax.Cnn -> text
        | SpecSyntax.Yaml -> Source.create file.Source.Path text |> CnnParser.parse |> fst |> YamlPrinter.print
