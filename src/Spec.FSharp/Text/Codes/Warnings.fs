/// W01xx: what fits and is still worth a look.
module internal CnnSpec.Text.Codes.Warnings

open CnnSpec.Text

let all =
    [
        Explanation.create
            "W0101"
            "a window that leaves out the edge"
            """
            The stride does not divide the room that the window has, so the last rows or columns of the map are never
            seen by it. Many classic networks do this and are none the worse; a different input size, padding or
            `ceil=true` keeps the edge.
            """
            """
            network N { input 3 x 21 x 28; max_pool(2); flatten; linear(10) }
            """
            """
            network N { input 3 x 20 x 28; max_pool(2); flatten; linear(10) }
            """
        Explanation.create
            "W0102"
            "a bias before batch_norm"
            """
            Batch normalisation subtracts the mean of each channel, and with it any constant that the layer before added.
            The bias costs memory and time and changes nothing.
            """
            """
            network N { input 3 x 20 x 28; conv(8, kernel=3); batch_norm; relu; flatten; linear(10) }
            """
            """
            network N { input 3 x 20 x 28; conv(8, kernel=3, bias=false); batch_norm; relu; flatten; linear(10) }
            """
        Explanation.create
            "W0103"
            "two linear layers with nothing between"
            """
            A linear function of a linear function is one linear function. Two layers in a row have the cost of both and the
            power of one; usually the activation between them was forgotten.
            """
            """
            network N { input 3 x 20 x 28; flatten; linear(84); linear(10) }
            """
            """
            network N { input 3 x 20 x 28; flatten; linear(84); relu; linear(10) }
            """
        Explanation.create
            "W0104"
            "softmax before cross-entropy"
            """
            Training's cross-entropy expects logits and applies softmax itself, in a form that does not overflow. A softmax at
            the network's end makes it work on probabilities: gradients almost vanish and training crawls.
            """
            """
            network N { input 1 x 28 x 28; flatten; linear(10); softmax }
            train { data = mnist() }
            """
            """
            network N { input 1 x 28 x 28; flatten; linear(10) }
            train { data = mnist() }
            """
        Explanation.create
            "W0105"
            "a block that nothing calls"
            """
            A file with a network in it declares a block that neither the network nor any other block calls. It may be left
            over from an earlier version, or its call is misspelt.
            """
            """
            network N { input 1 x 28 x 28; flatten; linear(10) }
            block Head(classes) { flatten; linear(classes) }
            """
            """
            network N { input 1 x 28 x 28; Head(10) }
            block Head(classes) { flatten; linear(classes) }
            """
        Explanation.create
            "W0106"
            "a parameter that is never used"
            """
            Changing this parameter would change nothing, which is rarely what its name promises.
            """
            """
            network N(classes = 10) { input 1 x 28 x 28; flatten; linear(10) }
            """
            """
            network N(classes = 10) { input 1 x 28 x 28; flatten; linear(classes) }
            """
        Explanation.create
            "W0107"
            "a receptive field smaller than the input"
            """
            The values that the last global pooling averages have each seen only a part of the input. What needs a view of
            the whole, such as the layout of large objects, can then only be judged by counting parts.
            """
            """
            network N { input 3 x 64 x 48; conv(8, kernel=3); relu; global_avg_pool; flatten; linear(10) }
            """
            """
            network N {
              input 3 x 64 x 48
              repeat 6 { conv(8, kernel=5, stride=2, padding=2); relu }
              global_avg_pool; flatten; linear(10)
            }
            """
        Explanation.create
            "W0108"
            "a folder of images that cannot be trained on"
            """
            A recipe names a folder that is not there, or whose classes or images are not what training needs. Its path is
            relative to the spec, as that of an import is, and not to the folder that a command is run in. Training on it will
            fail; checking the network goes on.
            """
            """
            network N { input 3 x 64 x 48; flatten; linear(10) }
            train { data = folder("missing/photos") }
            """
            """
            network N { input 3 x 64 x 48; flatten; linear(10) }
            train { data = folder("photos") }
            """
    ]
