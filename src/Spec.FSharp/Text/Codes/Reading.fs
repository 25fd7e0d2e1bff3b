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
            Specs are UTF-8, and at most 4 MiB long. This file holds a byte that begins no character: it was saved in
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
            "YAML that says nothing a spec can say"
            """
            The file is YAML, or nearly, but not the YAML dress of a spec: a list of declarations, whose bodies are
            lists of statements. A statement is a word (`relu`) or a map with one key that says what it is and those
            that belong to it. `cnnspec convert FILE.cnn` writes the YAML of a spec, which is the quickest way to see
            how something is said.
            """
            """
            - network: N
              body:
                - input: [3, 32, 32]
                - repeat: 2
            """
            """
            - network: N
              body:
                - input: [3, 32, 32]
                - repeat: 2
                  do: [relu]
            """
    ]
