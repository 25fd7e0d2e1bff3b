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
            ones are never right; with fewer, some classes cannot be predicted at all.
            """
            """
            network N { input 3 x 32 x 32; flatten; linear(1000) }
            train { data = cifar10() }
            """
            """
            network N { input 3 x 32 x 32; flatten; linear(10) }
            train { data = cifar10() }
            """
    ]
