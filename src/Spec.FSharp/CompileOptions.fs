namespace CnnSpec

open System
open System.Collections.Generic
open System.IO
open CnnSpec.Operators
open CnnSpec.Elaborate
open CnnSpec.Ir

/// What is said from outside of a spec that is compiled.
type CompileOptions =
    {
        /// `--set name=value`: values of the network's parameters, as spec text.
        Set: (string * string) list
        /// `--input CxHxW` instead of the spec's own.
        Input: Shape option
        /// The bytes of an imported file, or why they cannot be had.
        Read: string -> Result<byte[], string>
        /// What recipes are checked against.
        Data: RecipeData
        /// Looks at a folder of images that a recipe names.
        Folder: string -> FolderLook
    }

    /// Nothing is changed from outside and no file is at hand.
    static member Alone =
        {
            Set = []
            Input = None
            Read = fun _ -> Error "there is no such file"
            Data = AsWritten
            Folder = fun _ -> NotLooked
        }

    /// For C#. `input` may be null; `read` gives null or throws where a file cannot be had. Who changes a parameter asks for
    /// another network, such as one for other classes than those of the recipe's data: these are not compared then.
    static member From(set: KeyValuePair<string, string> seq, input: int64 seq, read: Func<string, byte[]>) =
        { CompileOptions.Alone with
            Set = [ for one in set -> one.Key, one.Value ]
            Data = if Seq.isEmpty set then AsWritten else Unused
            Input = if isNull input then None else Some(List.ofSeq input)
            Read =
                fun path ->
                    try
                        match read.Invoke path with
                        | null -> Error "there is no such file"
                        | bytes -> Ok bytes
                    with
                    | :? IOException
                    | :? UnauthorizedAccessException -> Error "it cannot be read"
        }

    member this.WithData data = { this with Data = data }

    member this.WithFolder(look: Func<string, FolderLook>) = { this with Folder = look.Invoke }
