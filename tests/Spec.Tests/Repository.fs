/// Where the files of this repository are, so that tests read what users read.
module CnnSpec.Spec.Tests.Repository

open System.IO

let root =
    let rec climb (folder: DirectoryInfo) =
        if File.Exists(Path.Combine(folder.FullName, "CnnSpec.sln")) then
            folder.FullName
        else
            climb folder.Parent

    climb (DirectoryInfo __SOURCE_DIRECTORY__)

let path (parts: string) = Path.Combine(root, parts)

/// Paths from the root, with `/`, so that what is rendered is the same on every system.
let relative (file: string) =
    Path.GetRelativePath(root, file).Replace('\\', '/')

/// All such files of a folder and the folders in it, in the order of their names.
let files folder (pattern: string) =
    Directory.GetFiles(path folder, pattern, SearchOption.AllDirectories)
    |> Array.map relative
    |> Array.sortWith (fun a b -> System.String.CompareOrdinal(a, b))
    |> Array.toList

let specs folder = files folder "*.cnn"

/// The specs that must compile, from the root.
let networks () =
    specs "specs" |> List.filter (fun file -> not (file.Contains "/mistakes/"))

let read (file: string) = File.ReadAllText(path file)
