/// Specs that nobody would write: real ones cut, swapped and doubled by bytes, tokens and lines, and heaps of tokens.
/// CNNSPEC_FUZZ_SECONDS says how long.
module CnnSpec.Spec.Tests.Robustness.FuzzTests

open System
open System.Diagnostics
open System.IO
open System.Text
open System.Text.RegularExpressions
open CnnSpec.Text
open CnnSpec.Elaborate
open CnnSpec.Syntax
open CnnSpec.Spec.Tests
open CnnSpec.Spec.Tests.Robustness.Limits
open CnnSpec.Spec.Tests.Testing
open Expecto

let private token =
    Regex("\"[^\"\\n]*\"|[\\p{L}_][\\w]*|[0-9.]+|\\s+|//[^\\n]*|.", RegexOptions.Compiled)

let private specs =
    Repository.specs "specs" @ Repository.specs "tests/Spec.Tests/golden"
    |> List.map (fun file -> File.ReadAllText(Repository.path file))

/// Every spec in both syntaxes, with the path that tells which it wears.
let private dressed =
    [
        for spec in specs do
            "spec.cnn", spec

            let file, problems =
                SpecSyntax.parseAs SpecSyntax.Cnn (Source.create "spec.cnn" spec)

            if problems.IsEmpty then
                "spec.yaml", SpecSyntax.print SpecSyntax.Yaml file
    ]
    |> List.toArray

let private words =
    [
        Set.toList Keyword.reserved
        Catalog.names
        Builtins.all |> List.map _.Name
        "channels height width split x a N B data epochs optimizer sgd mnist network: body: do: -".Split ' '
        |> List.ofArray
        "0 1 2 3 -1 0.5 1e300 9223372036854775807 1k 5M \"same\" \"{a}\"".Split ' ' |> List.ofArray
        "{ } ( ) [ ] , : ; = + - * / % ** == < x \" // \\ é 🙂".Split ' ' |> List.ofArray
        "kernel= stride= padding= groups=".Split ' ' |> List.ofArray
        [ "\n"; "\r\n"; "\t"; "\000" ]
    ]
    |> List.concat
    |> List.toArray

let private pick (random: Random) (items: 'a[]) = items[random.Next items.Length]

/// Removes, doubles, moves or replaces one piece.
let private mutated (random: Random) (other: string[]) (pieces: ResizeArray<string>) =
    if pieces.Count > 0 then
        let at = random.Next pieces.Count

        match random.Next 5 with
        | 0 -> pieces.RemoveAt at
        | 1 -> pieces.Insert(at, pieces[random.Next pieces.Count])
        | 2 ->
            let piece = pieces[at]
            pieces.RemoveAt at
            pieces.Insert(random.Next(pieces.Count + 1), piece)
        | 3 -> pieces[at] <- pick random other
        | _ -> pieces.Insert(at, pick random other)

let private changed (random: Random) other (pieces: string seq) =
    let pieces = ResizeArray pieces

    for _ in 0 .. random.Next 6 do
        mutated random other pieces

    pieces

let private byTokens (random: Random) =
    let path, spec = pick random dressed
    let pieces = changed random words (token.Matches spec |> Seq.map _.Value)
    path, Encoding.UTF8.GetBytes(String.concat "" pieces)

let private byLines (random: Random) =
    let (path, spec), (_, other) = pick random dressed, pick random dressed
    let lines = changed random (other.Split '\n') (spec.Split '\n')
    path, Encoding.UTF8.GetBytes(String.concat "\n" lines)

let private byBytes (random: Random) =
    let path, spec = pick random dressed
    let bytes = ResizeArray(Encoding.UTF8.GetBytes spec)

    for _ in 0 .. random.Next 8 do
        match random.Next 3 with
        | 0 -> bytes.RemoveAt(random.Next bytes.Count)
        | 1 -> bytes[random.Next bytes.Count] <- byte (random.Next 256)
        | _ -> bytes.Insert(random.Next bytes.Count, byte (random.Next 128))

    path, bytes.ToArray()

let private soup (random: Random) =
    let body =
        Seq.init (random.Next 80) (fun _ -> pick random words)
        |> String.concat (if random.Next 2 = 0 then " " else "")

    let text =
        match random.Next 3 with
        | 0 -> body
        | 1 -> $"network N(a = 2, x = relu) {{\n  input 4 x 8 x 8\n  {body}\n}}"
        | _ -> $"network N {{ input 10; linear(10) }}\nlet a = {body}\ntrain {{ {body} }}"

    (if random.Next 4 = 0 then "spec.yaml" else "spec.cnn"), Encoding.UTF8.GetBytes text

[<Tests>]
let tests =
    // What a test takes is measured for the whole process.
    testSequenced
    <| testList
        "mutated specs"
        [
            testCase "no file makes the compiler fail, hang or lose its place"
            <| fun () ->
                let random = random ()
                let makers = [| byTokens; byLines; byBytes; soup |]
                let clock = Stopwatch.StartNew()
                let mutable count = 0
                let mutable right = 0
                let mutable slowest = 0.0
                let mutable slowestText = ""

                while clock.Elapsed.TotalSeconds < float fuzzSeconds do
                    let path, bytes = (pick random makers) random

                    try
                        let compilation, seconds = compileFileOf path bytes
                        count <- count + 1

                        if seconds > slowest then
                            slowest <- seconds
                            slowestText <- Encoding.UTF8.GetString bytes

                        if compilation |> Option.exists (fun (c: CnnSpec.Compile.Compilation) -> not c.HasErrors) then
                            right <- right + 1

                        if seconds > longest then
                            failwith $"this took {seconds} s"
                    with error ->
                        let text = Encoding.UTF8.GetString bytes
                        failtest $"{error}\n\nafter {count} files, on this {path}:\n{text}"

                printfn $"{count} files, {right} of them right, the slowest, %.3f{slowest} s, was:\n{slowestText}"
        ]
