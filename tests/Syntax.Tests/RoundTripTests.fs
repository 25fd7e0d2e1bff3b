/// Printing and parsing are each other's inverse, in both syntaxes, for random files. FsCheck prints the seed of a failure.
module CnnSpec.Syntax.Tests.RoundTripTests

open CnnSpec.Text
open CnnSpec.Syntax
open CnnSpec.Syntax.Tests.RandomTrees
open FsCheck
open NUnit.Framework

/// How many random files each law is held to.
let private count = 3000

/// Throws with the seed and the smallest file found where the law does not hold.
let private forAll (law: File -> unit) =
    let config =
        Config.QuickThrowOnFailure.WithMaxTest(count).WithArbitrary [ typeof<Trees> ]

    Check.One(config, (fun (RandomFile file) -> law file))

/// The same tree: told apart by their text where that shows the difference.
let private same (expected: File) (actual: File) (explanation: string) =
    if Trees.meaning expected <> Trees.meaning actual then
        Assert.That(Printer.print actual, Is.EqualTo(Printer.print expected), explanation)
        Assert.Fail $"the trees differ and their text does not: {explanation}"

[<Test>]
let ``parsing what was printed gives the tree back`` () =
    forAll (fun file ->
        let text = Printer.print file
        same file (Trees.parse SpecSyntax.Cnn "random.cnn" text) text)

[<Test>]
let ``the canonical form is its own canonical form`` () =
    forAll (fun file ->
        let text = Printer.print file
        let again = Printer.print (Trees.parse SpecSyntax.Cnn "random.cnn" text)
        Assert.That(again, Is.EqualTo text))

[<Test>]
let ``YAML gives the tree back`` () =
    forAll (fun file ->
        let yaml = SpecSyntax.print SpecSyntax.Yaml file
        same file (Trees.parse SpecSyntax.Yaml "random.yaml" yaml) yaml)

[<Test>]
let ``from .cnn to YAML and back nothing changes`` () =
    forAll (fun file ->
        let text = Printer.print file

        let yaml =
            SpecSyntax.print SpecSyntax.Yaml (Trees.parse SpecSyntax.Cnn "random.cnn" text)

        let back =
            SpecSyntax.print SpecSyntax.Cnn (Trees.parse SpecSyntax.Yaml "random.yaml" yaml)

        Assert.That(back, Is.EqualTo text, yaml))

[<Test>]
let ``from YAML to .cnn and back nothing changes`` () =
    forAll (fun file ->
        let yaml = SpecSyntax.print SpecSyntax.Yaml file

        let text =
            SpecSyntax.print SpecSyntax.Cnn (Trees.parse SpecSyntax.Yaml "random.yaml" yaml)

        let back =
            SpecSyntax.print SpecSyntax.Yaml (Trees.parse SpecSyntax.Cnn "random.cnn" text)

        Assert.That(back, Is.EqualTo yaml, text))
