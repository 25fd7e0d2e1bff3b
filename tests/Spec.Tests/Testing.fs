/// What the tests are written with beyond Expecto's own: a test a case, and properties that share the run's seed.
module CnnSpec.Spec.Tests.Testing

open System
open System.Text.RegularExpressions
open Expecto

let private number name =
    match Environment.GetEnvironmentVariable name with
    | null
    | "" -> None
    | text -> Some(int text)

/// Where all that is drawn at random begins. `CNNSPEC_TEST_SEED` repeats a run; every run says its own.
let seed =
    number "CNNSPEC_TEST_SEED" |> Option.defaultWith (fun () -> Random.Shared.Next())

/// `CNNSPEC_TEST_FAST=1` draws a tenth of the random values, for the round that one makes while writing.
let private isFast = number "CNNSPEC_TEST_FAST" = Some 1

/// Seconds that random specs are made for.
let fuzzSeconds =
    number "CNNSPEC_FUZZ_SECONDS" |> Option.defaultValue (if isFast then 1 else 10)

/// A generator of its own for the test that asks, so that a test that is run alone draws the same.
let random () = Random seed

let private shown (item: obj) =
    let text =
        match item with
        | :? string as text -> text
        | other -> $"%A{other}"

    let line = Regex.Replace(text, @"\s+", " ")

    if line.Length <= 100 then
        line
    else
        line.Substring(0, 100) + "…"

/// A test for each item, named by it.
let cases name (items: 'a seq) (test: 'a -> unit) =
    let names = items |> Seq.map shown |> Seq.toList

    let names =
        if List.distinct names = names then
            names
        else
            names |> List.mapi (fun index name -> $"{index + 1}: {name}")

    testList name [ for name, item in Seq.zip names items -> testCase name (fun () -> test item) ]

/// A law that holds for `count` random values; the types that make them are in `arbitrary`.
let property count arbitrary name law =
    let config =
        { FsCheckConfig.defaultConfig with
            maxTest = if isFast then count / 10 else count
            arbitrary = arbitrary
            // The second number of FsCheck's generator is odd.
            replay = Some(uint64 seed, 1UL, None)
        }

    testPropertyWithConfig config name law
