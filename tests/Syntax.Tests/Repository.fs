/// The files of this repository, found from where the tests run.
module CnnSpec.Syntax.Tests.Repository

open System.IO

let root =
    let rec up (folder: DirectoryInfo) =
        if File.Exists(Path.Combine(folder.FullName, "CnnSpec.sln")) then
            folder.FullName
        else
            up folder.Parent

    up (DirectoryInfo(NUnit.Framework.TestContext.CurrentContext.TestDirectory))

let path relative = Path.Combine(root, relative)

let read relative = File.ReadAllText(path relative)

/// The specs below `specs`, relative to the root.
let specs extension =
    Directory.GetFiles(path "specs", "*" + extension, SearchOption.AllDirectories)
    |> Array.map (fun file -> Path.GetRelativePath(root, file).Replace('\\', '/'))
    |> Array.sort
