/// E04xx: recipes that contradict themselves or the network.
module internal CnnSpec.Text.Codes.Training

open CnnSpec.Text

let all =
    [
        Explanation.create
            "E0401"
            "a recipe names something of another kind"
            """
            A key of the recipe takes one of the names that the help line lists: a data set for `data`, an optimizer
            for `optimizer`, and so on.
            """
            """
            network N { input 1 x 28 x 28; flatten; linear(10) }
            train {
              data = mnist()
              optimizer = cosine()
            }
            """
            """
            network N { input 1 x 28 x 28; flatten; linear(10) }
            train {
              data = mnist()
              schedule = cosine()
            }
            """
        Explanation.create
            "E0402"
            "a schedule longer than the training"
            """
            A milestone or a warm-up reaches beyond the last epoch, so the learning rate would never take the course
            that the recipe describes. Epochs were probably cut down for a trial, and the schedule was not.
            """
            """
            network N { input 1 x 28 x 28; flatten; linear(10) }
            train {
              data = mnist()
              schedule = multistep([100, 150])
              epochs = 20
            }
            """
            """
            network N { input 1 x 28 x 28; flatten; linear(10) }
            train {
              data = mnist()
              schedule = multistep([10, 15])
              epochs = 20
            }
            """
        Explanation.create
            "E0403"
            "more images than there are"
            """
            The recipe holds out more images than the data set has, or a batch is larger than what is left to train on.
            """
            """
            network N { input 3 x 32 x 32; flatten; linear(10) }
            train { data = cifar10(validation=60000) }
            """
            """
            network N { input 3 x 32 x 32; flatten; linear(10) }
            train { data = cifar10(validation=5000) }
            """
        Explanation.create
            "E0404"
            "a head for another number of classes"
            """
            The network's last layer must give one value (logit) for each class of the data set. With more, the extra
            ones are never right; with fewer, some classes cannot be predicted at all; a feature map has none.
            """
            """
            network N { input 3 x 32 x 32; flatten; linear(1000) }
            train { data = cifar10() }
            """
            """
            network N { input 3 x 32 x 32; flatten; linear(10) }
            train { data = cifar10() }
            """
        Explanation.create
            "E0405"
            "settings that exclude or need each other"
            """
            Each of these settings is right by itself, but they cannot both hold: two ways of clipping, Nesterov's momentum
            without a momentum; or one of them needs another that is missing, as stopping early needs images to validate on.
            """
            """
            network N { input 3 x 32 x 32; flatten; linear(10) }
            train {
              data = cifar10()
              patience = 5
            }
            """
            """
            network N { input 3 x 32 x 32; flatten; linear(10) }
            train {
              data = cifar10(validation=5000)
              patience = 5
            }
            """
        Explanation.create
            "E0406"
            "class weights for other classes"
            """
            The loss takes one weight for each output of the network's head, in the order of the classes: what an image of
            that class counts. Weights are 0 or more.
            """
            """
            network N { input 1 x 28 x 28; flatten; linear(10) }
            train {
              data = mnist()
              loss = cross_entropy(class_weights=[1, 2])
            }
            """
            """
            network N { input 1 x 28 x 28; flatten; linear(10) }
            train {
              data = mnist()
              loss = cross_entropy(class_weights=[1, 1, 1, 1, 2, 1, 1, 1, 1, 1])
            }
            """
        Explanation.create
            "E0407"
            "images of another shape than the network takes"
            """
            After the last augmentation every image must have the size of the network's input again: what `pad` and `resize`
            change, `crop` or `resized_crop` bring back. Means and deviations are one for all channels or one for each.
            """
            """
            network N { input 3 x 32 x 32; flatten; linear(10) }
            train {
              data = cifar10()
              augment = [resize(36), flip]
            }
            """
            """
            network N { input 3 x 32 x 32; flatten; linear(10) }
            train {
              data = cifar10()
              augment = [resize(36), crop(padding=0), flip]
            }
            """
    ]
