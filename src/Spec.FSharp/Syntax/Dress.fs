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
        | Dress.Yaml -> CnnParser.parse source

    /// The canonical text.
    let print (dress: Dress) (file: File) : string =
        match dress with
        | Dress.Cnn -> Printer.print file
        | Dress.Yaml -> Printer.print file
