/// E02xx: names, arguments, values and what statements need.
module internal CnnSpec.Text.Codes.Meaning

open CnnSpec.Text

let private naming =
    [
        Explanation.create
            "E0201"
            "nothing has this name"
            """
            No operator, block, parameter, tensor or value of this name can be seen here. Names are case sensitive. A
            `let` and a named tensor are seen by the statements after them, up to the end of their `{ … }`; a block sees
            its own parameters and the file's constants, not the variables of its caller: pass what it needs.
            """
            """
            network N {
              input 3 x 32 x 32
              convv(16, kernel=3)
            }
            """
            """
            network N {
              input 3 x 32 x 32
              conv(16, kernel=3)
            }
            """
        Explanation.create
            "E0202"
            "one name for two things"
            """
            Blocks, functions, constants and networks share one set of names with everything the file imports, and
            none may take the name of an operator or a function that is built in: `conv(…)` means the same in every
            spec. Parameters of one block, keys of one map and the recipes of one file must differ, too.
            """
            """
            network N {
              input 3 x 32 x 32
              Stem()
            }
            block Stem() { conv(16, kernel=3) }
            block Stem() { conv(32, kernel=5) }
            """
            """
            network N {
              input 3 x 32 x 32
              Stem()
            }
            block Stem() { conv(16, kernel=3) }
            """
        Explanation.create
            "E0203"
            "an argument that is not a parameter"
            """
            The operator, block, function or recipe has no parameter of this name, or gets one twice. The help line
            lists what it takes. `--set name=value` answers with this code as well where the network has no such
            parameter.
            """
            """
            network N {
              input 3 x 32 x 32
              conv(16, kernel=2, strides=2)
            }
            """
            """
            network N {
              input 3 x 32 x 32
              conv(16, kernel=2, stride=2)
            }
            """
        Explanation.create
            "E0204"
            "a parameter has no value"
            """
            A parameter without a default was not given. A network's own parameters get their values from their
            defaults or from `--set name=value`.
            """
            """
            network N {
              input 3 x 32 x 32
              conv(16)
            }
            """
            """
            network N {
              input 3 x 32 x 32
              conv(16, kernel=3)
            }
            """
        Explanation.create
            "E0205"
            "too many arguments, or too few names"
            """
            A call has more arguments than there are parameters, or a statement names another number of tensors than it
            gives. Only `split` gives several.
            """
            """
            network N {
              input 4 x 32 x 32
              split(4) as left, right
            }
            """
            """
            network N {
              input 4 x 32 x 32
              split(2) as left, right
              add { left; right }
            }
            """
    ]

let private values =
    [
        Explanation.create
            "E0206"
            "a value of the wrong kind"
            """
            Something needs an integer, a list, an operator …, and gets a value of another kind. Division gives an
            integer where nothing is left over and a number otherwise (`7 / 2` is 3.5); `floor`, `ceil` and `round`
            make an integer of a number.
            """
            """
            network N {
              input 3 x 32 x 32
              conv(channels / 2, kernel=3)
            }
            """
            """
            network N {
              input 3 x 32 x 32
              conv(ceil(channels / 2), kernel=3)
            }
            """
        Explanation.create
            "E0207"
            "a value out of range"
            """
            The kind is right, the value is not: a probability above 1, a kernel of 0, an item behind the end of its
            list. Lists count from 0, and `-1` is the last item.
            """
            """
            network N {
              input 3 x 32 x 32
              dropout(50)
            }
            """
            """
            network N {
              input 3 x 32 x 32
              dropout(0.5)
            }
            """
        Explanation.create
            "E0208"
            "an import that cannot be read"
            """
            An imported file is missing or unreadable. Paths are relative to the file that imports, not to where the
            command is started. A file that is imported twice, or by a file that it imports, is read once.
            """
            """
            import "block.cnn"
            network N {
              input 3 x 32 x 32
              conv(16, kernel=3)
            }
            """
            """
            import "blocks.cnn"
            network N {
              input 3 x 32 x 32
              ConvBlock(16)
            }
            """
        Explanation.create
            "E0209"
            "a label that cannot name weights"
            """
            Labels become parts of weight names (`layer1.0.conv1.weight`), so they are made of letters, digits, `_` and
            `-`, and two layers of one scope cannot share one. In a loop, compute the label (`"conv{i}": …`) or put
            the body into a block: calls of blocks are numbered by themselves.
            """
            """
            network N {
              input 3 x 32 x 32
              repeat 2 as i { stage: conv(16, kernel=3) }
            }
            """
            """
            network N {
              input 3 x 32 x 32
              repeat 2 as i { "stage{i}": conv(16, kernel=3) }
            }
            """
        Explanation.create
            "E0210"
            "arithmetic without a result"
            """
            A division by zero, an integer that 64 bits do not hold, or a number that is not finite.
            """
            """
            network N(groups = 0) {
              input 32 x 28 x 28
              conv(32 / groups, kernel=3)
            }
            """
            """
            network N(groups = 4) {
              input 32 x 28 x 28
              conv(32 / groups, kernel=3)
            }
            """
    ]

let private statements =
    [
        Explanation.create
            "E0211"
            "the spec never ends, or makes too much"
            """
            Expanding the spec takes more steps, more layers or deeper calls than any network needs: usually a block
            or function that calls itself without an `if` to end it, or a loop's count with zeros too many. The limits
            are 50,000 layers, 2,000,000 steps and 100 calls inside each other.
            """
            """
            network N {
              input 3 x 32 x 32
              repeat 100M { relu }
            }
            """
            """
            network N {
              input 3 x 32 x 32
              repeat 100 { relu }
            }
            """
        Explanation.create
            "E0212"
            "an assertion that does not hold"
            """
            The spec itself says with `assert` what must be true here, and it is not. The mark shows both sides of the
            comparison. Either the network changed and the assertion is old, or the assertion found what it is for.
            """
            """
            network N {
              input 3 x 32 x 32
              conv(16, kernel=3)
              assert height == 32, "the stem keeps the size"
            }
            """
            """
            network N {
              input 3 x 32 x 32
              conv(16, kernel=3, padding=1)
              assert height == 32, "the stem keeps the size"
            }
            """
        Explanation.create
            "E0213"
            "a part is missing or doubled"
            """
            A network begins with its one `input`, of channels x height x width or of a number of features; a
            combinator (`add`, `concat`, `mul`) has branches in its braces.
            """
            """
            network N {
              conv(16, kernel=3)
            }
            """
            """
            network N {
              input 3 x 32 x 32
              conv(16, kernel=3)
            }
            """
        Explanation.create
            "E0215"
            "an initialisation rule for no weight"
            """
            Nothing in the network has a weight that this rule names, so it would do nothing. A rule names an operator
            (`conv`, `linear.bias`), all filters (`weight`), all biases (`bias`), or one layer by its path
            (`layer1.0.conv1`). `cnnspec ir` shows all names.
            """
            """
            network N {
              input 3 x 32 x 32
              conv(16, kernel=3)
              init { linear = normal(0, 0.01) }
            }
            """
            """
            network N {
              input 3 x 32 x 32
              conv(16, kernel=3)
              init { conv = normal(0, 0.01) }
            }
            """
    ]

let all = naming @ values @ statements
