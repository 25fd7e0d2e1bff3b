/// Printing and parsing are each other's inverse, in both syntaxes, for random files. FsCheck shows the smallest file that it found.
module CnnSpec.Spec.Tests.Syntax.RoundTripTests

open CnnSpec.Text
open CnnSpec.Syntax
open CnnSpec.Spec.Tests.Syntax.RandomTrees
open CnnSpec.Spec.Tests.Testing
open Expecto

/// How many random files each law is held to.
let private count = 3000

let private forAll name (law: File -> unit) =
    property count [ typeof<Trees> ] name (fun (RandomFile file) -> law file)

/// The same tree: told apart by their text where that shows the difference.
let private same (expected: File) (actual: File) (explanation: string) =
    if Trees.meaning expected <> Trees.meaning actual then
        Expect.equal (Printer.print actual) (Printer.print expected) explanation
        failtest $"the trees differ and their text does not: {explanation}"

[<Tests>]
let tests =
    testList
        "printing and parsing"
        [
            forAll "parsing what was printed gives the tree back" (fun file ->
                let text = Printer.print file
                same file (Trees.parse SpecSyntax.Cnn "random.cnn" text) text)

            forAll "the canonical form is its own canonical form" (fun file ->
                let text = Printer.print file
                let again = Printer.print (Trees.parse SpecSyntax.Cnn "random.cnn" text)
                Expect.equal again text "the canonical form")

            forAll "YAML gives the tree back" (fun file ->
                let yaml = SpecSyntax.print SpecSyntax.Yaml file
                same file (Trees.parse SpecSyntax.Yaml "random.yaml" yaml) yaml)

            forAll "from .cnn to YAML and back nothing changes" (fun file ->
                let text = Printer.print file

                let yaml =
                    SpecSyntax.print SpecSyntax.Yaml (Trees.parse SpecSyntax.Cnn "random.cnn" text)

                let back =
                    SpecSyntax.print SpecSyntax.Cnn (Trees.parse SpecSyntax.Yaml "random.yaml" yaml)

                Expect.equal back text yaml)

            forAll "from YAML to .cnn and back nothing changes" (fun file ->
                let yaml = SpecSyntax.print SpecSyntax.Yaml file

                let text =
                    SpecSyntax.print SpecSyntax.Cnn (Trees.parse SpecSyntax.Yaml "random.yaml" yaml)

                let back =
                    SpecSyntax.print SpecSyntax.Yaml (Trees.parse SpecSyntax.Cnn "random.cnn" text)

                Expect.equal back yaml text)
        ]
