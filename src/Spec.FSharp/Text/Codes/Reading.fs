/// E01xx: the file itself, before any name in it means something.
module internal CnnSpec.Text.Codes.Reading

open CnnSpec.Text

let all =
    [
        Explanation.create
            "E0101"
            "this cannot be read"
            """
            The text does not follow the grammar at the marked place; the message says what could have stood there.
            The rest of the file is read and checked all the same. Statements end with a line break or with `;`.
            Arguments are `name=value`; a `let` or a recipe's key has `=` as well.
            """
            """
            network N {
              input 3 x 32 x 32
              conv(16, kernel=)
            }
            """
            """
            network N {
              input 3 x 32 x 32
              conv(16, kernel=3)
            }
            """
        Explanation.create
            "E0102"
            "a brace is never closed"
            """
            The file ends inside a `{ … }`. The second place that is shown is the brace that nothing closes; where that
            one looks right, a brace further down is missing and this one took its partner.
            """
            """
            network N {
              input 3 x 32 x 32
              repeat 2 {
                conv(16, kernel=3)
            }
            """
            """
            network N {
              input 3 x 32 x 32
              repeat 2 {
                conv(16, kernel=3)
              }
            }
            """
        Explanation.create
            "E0103"
            "this is more than can be read"
            """
            A number has more digits than 64 bits hold, or brackets and braces nest deeper than any network needs.
            Counts may be written short: `1M` is a million, `60k` sixty thousand.
            """
            """
            network N {
              input 3 x 32 x 32
              assert params < 99999999999999999999
            }
            """
            """
            network N {
              input 3 x 32 x 32
              assert channels * height * width < 1M
            }
            """
        Explanation.create
            "E0104"
            "the file is not UTF-8 text"
            """
            Specs are UTF-8, and at most 1 MiB long. This file holds a byte that begins no character: it was saved in
            another encoding (the example below as Latin-1), or it is no text at all. Editors change the encoding under
            "save with encoding"; `iconv -f LATIN1 -t UTF-8` does it on the command line.
            """
            """
            // Réseau
            network N { input 3 x 32 x 32 }
            """
            """
            // Reseau
            network N { input 3 x 32 x 32 }
            """
        Explanation.create
            "E0105"
            "this YAML is not a spec"
            """
            YAML says what `.cnn` says with lists and maps: a file is a list of declarations, a body a list of
            statements, and a statement is a word (`relu`) or a map with the one key that names it
            (`conv: [64, kernel: 3]`). Another key, or a list where a map must be, has no meaning. Anchors, aliases, tags
            and further documents are refused. docs/yaml.md has it all.
            """
            """
            - network: N
              body:
              - input: 3 x 32 x 32
              - repeat: 2
                dos: [relu]
                do: [relu]
            """
            """
            - network: N
              body:
              - input: 3 x 32 x 32
              - repeat: 2
                do: [relu]
            """
        Explanation.create
            "E0106"
            "a file without anything in it"
            """
            A spec has a network, or at least blocks that others import. In this file there is nothing, or nothing but
            comments: it may have been cut short, or saved before it was written.
            """
            """
            // densenet
            """
            """
            network N { input 3 x 32 x 32; flatten; linear(10) }
            """
    ]
