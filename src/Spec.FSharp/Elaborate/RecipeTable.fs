/// The recipe table: the keys of a `train { … }` section and what their values can name; augmentations have their own.
module CnnSpec.Elaborate.RecipeTable

open CnnSpec.Ir
open CnnSpec.Elaborate.Parameter

/// Something a recipe can name: a data set, an optimizer, a schedule, a loss …
type Entry<'a> = { Signature: Signature; Summary: string; Build: Bound -> 'a }

let internal entry name parameters summary build =
    { Signature = { Name = name; Parameters = parameters }; Summary = summary; Build = build }

let internal number name kind (value: float) doc = optional name kind (Float value) doc

let private learningRate value =
    number "lr" nonNegative value "learning rate"

let private weightDecay value =
    number "weight_decay" nonNegative value "weight decay"

let private epsilon = number "eps" positive 1e-8 "added to the denominator"

let private validation =
    optional "validation" natural (Int 0L) "training images held out for validation, drawn by the seed"

let private builtIn name command classes summary =
    entry name [ validation ] summary (fun bound ->
        {
            Name = command
            Path = ""
            Validation = bound.Int "validation"
            TrainCount = 0
            TestCount = 0
            Classes = Some classes
        })

let dataSets: Entry<DataSource> list =
    [
        builtIn "mnist" "mnist" 10 "handwritten digits, 60,000 + 10,000 of 1×28×28"
        builtIn "fashion_mnist" "fashion-mnist" 10 "articles of clothing, 60,000 + 10,000 of 1×28×28"
        builtIn "cifar10" "cifar10" 10 "small photographs of ten classes, 50,000 + 10,000 of 3×32×32"
        entry
            "shapes"
            [
                validation
                optional "train_images" count (Int 10_000L) "training images to draw"
                optional "test_images" count (Int 2_000L) "test images to draw"
            ]
            "ten kinds of drawn shapes, generated; any size and channel count; needs no network"
            (fun bound ->
                {
                    Name = "shapes"
                    Path = ""
                    Validation = bound.Int "validation"
                    TrainCount = bound.Int "train_images"
                    TestCount = bound.Int "test_images"
                    Classes = Some 10
                })
        entry
            "folder"
            [
                required "path" Words "a folder with one folder of images for each class, relative to the spec"
                validation
            ]
            "your own images: `folder/class/*.png|jpg`, optionally below `train`, `val` and `test`"
            (fun bound ->
                {
                    Name = "folder"
                    Path = bound.Text "path"
                    Validation = bound.Int "validation"
                    TrainCount = 0
                    TestCount = 0
                    Classes = None
                })
    ]

let private adamParameters decay =
    [
        learningRate 1e-3
        number "beta1" probability 0.9 "decay of the mean gradient"
        number "beta2" probability 0.999 "decay of the mean squared gradient"
        epsilon
        weightDecay decay
    ]

let private adam make (b: Bound) =
    make (b.Float "lr", b.Float "beta1", b.Float "beta2", b.Float "eps", b.Float "weight_decay")

let optimizers: Entry<Optimizer> list =
    [
        entry
            "sgd"
            [
                learningRate 0.1
                number "momentum" probability 0.0 "momentum"
                number "dampening" probability 0.0 "dampening of the momentum"
                weightDecay 0.0
                optional "nesterov" Flag (Bool false) "Nesterov's momentum"
            ]
            "stochastic gradient descent, with PyTorch's update rule"
            (fun b ->
                Sgd(b.Float "lr", b.Float "momentum", b.Float "dampening", b.Float "weight_decay", b.Flag "nesterov"))
        entry "adam" (adamParameters 0.0) "Kingma & Ba 2014, arXiv:1412.6980; weight decay as an L2 penalty" (adam Adam)
        entry
            "adamw"
            (adamParameters 0.01)
            "Loshchilov & Hutter 2017, arXiv:1711.05101; decoupled weight decay"
            (adam AdamW)
        entry
            "rmsprop"
            [
                learningRate 0.01
                number "alpha" probability 0.99 "decay of the mean squared gradient"
                epsilon
                weightDecay 0.0
                number "momentum" probability 0.0 "momentum"
            ]
            "Tieleman & Hinton 2012, with PyTorch's update rule"
            (fun b -> RmsProp(b.Float "lr", b.Float "alpha", b.Float "eps", b.Float "weight_decay", b.Float "momentum"))
    ]

let private gamma value = number "gamma" positive value "factor"

let schedules: Entry<Schedule> list =
    [
        entry "constant_rate" [] "the same rate throughout" (fun _ -> ConstantRate)
        entry
            "step"
            [ required "epochs" count "how often"; gamma 0.1 ]
            "times gamma after every so many epochs"
            (fun b -> Step(b.Int "epochs", b.Float "gamma"))
        entry
            "multistep"
            [ required "milestones" Integers "after which epochs"; gamma 0.1 ]
            "times gamma after each milestone"
            (fun b -> MultiStep(b.Ints "milestones", b.Float "gamma"))
        entry "exponential" [ gamma 0.95 ] "times gamma after every epoch" (fun b -> Exponential(b.Float "gamma"))
        entry "cosine" [ number "final" nonNegative 0.0 "last factor" ] "half a cosine, step by step" (fun b ->
            Cosine(b.Float "final"))
        entry
            "polynomial"
            [ number "power" positive 1.0 "exponent" ]
            "(1 − t/T)^power, step by step; power 1 is linear"
            (fun b -> Polynomial(b.Float "power"))
        entry
            "linear"
            [ number "start" nonNegative 1.0 "first factor"; number "final" nonNegative 0.0 "last factor" ]
            "a straight line, step by step"
            (fun b -> Linear(b.Float "start", b.Float "final"))
        entry
            "one_cycle"
            [
                number "rise" (Number(0.001, 0.999)) 0.3 "part of all steps spent climbing"
                number "start" nonNegative 0.04 "first factor"
                number "final" nonNegative 4e-6 "last factor"
            ]
            "up to the learning rate and down again, along cosines; PyTorch's OneCycleLR with `cycle_momentum=False`: momentum stays as it is"
            (fun b -> OneCycle(b.Float "rise", b.Float "start", b.Float "final"))
        entry
            "plateau"
            [
                number "factor" (Number(1e-6, 0.999999)) 0.1 "what the rate is multiplied by"
                optional "patience" natural (Int 10L) "epochs without a lower loss that are put up with"
                number "threshold" nonNegative 1e-4 "a loss is lower if it is below the lowest times 1 − this"
                optional "cooldown" natural (Int 0L) "epochs after a cut that are not counted"
                number "floor" nonNegative 0.0 "the factor goes no lower"
            ]
            "lowers the rate when the loss of the validation images (of the training images, where none are held out) stops falling; PyTorch's ReduceLROnPlateau"
            (fun b ->
                Plateau(b.Float "factor", b.Int "patience", b.Float "threshold", b.Int "cooldown", b.Float "floor"))
    ]

let losses: Entry<Loss> list =
    [
        entry
            "cross_entropy"
            [
                number "label_smoothing" probability 0.0 "probability spread over all classes"
                optional
                    "class_weights"
                    (NumbersOr "balanced")
                    (List [])
                    "what an image of each class counts; `balanced` weighs each by its number of training images; all alike if unsaid"
            ]
            "softmax cross-entropy of the logits; with class weights the weighted mean, as PyTorch's; validation and test losses are without weights and smoothing"
            (fun b ->
                {
                    LabelSmoothing = b.Float "label_smoothing"
                    ClassWeights = b.Floats "class_weights"
                    Balanced = b.Text "class_weights" = "balanced"
                })
    ]

let scalings: Entry<PixelScaling> list =
    [
        entry "unit" [] "pixels from 0 to 1" (fun _ -> UnitInterval)
        entry "dataset" [] "centred and scaled by the training images' channel means and deviations" (fun _ ->
            ByDataSet)
        entry
            "imagenet"
            []
            "centred and scaled by the channel means and deviations of ImageNet's training images, as torchvision's weights expect"
            (fun _ -> ByChannel([ 0.485; 0.456; 0.406 ], [ 0.229; 0.224; 0.225 ]))
        entry
            "by_channel"
            [ required "mean" Numbers "means of pixels from 0 to 1"; required "std" Numbers "deviations" ]
            "centred and scaled by these numbers"
            (fun b -> ByChannel(b.Floats "mean", b.Floats "std"))
    ]

/// The keys of a recipe, their types, defaults and meaning.
let keys: ParameterInfo list =
    [
        required "data" (One "data set") "what to train on"
        optional "normalize" (One "scaling") Nothing "how pixels are scaled; from 0 to 1 if unsaid"
        optional "augment" (Many "augmentation") (List []) "what is done to training images, in this order"
        optional "optimizer" (One "optimizer") Nothing "adamw() if unsaid"
        optional "schedule" (One "schedule") Nothing "the rate's course; constant if unsaid"
        optional
            "warmup"
            nonNegative
            (Int 0L)
            "epochs (or parts) of linear warm-up; the schedule runs from the first step, so the peak is what it says at the end of the warm-up"
        optional "loss" (One "loss") Nothing "cross_entropy() if unsaid"
        optional "epochs" count (Int 10L) "passes over the training images"
        optional "batch" count (Int 128L) "images in a step"
        optional
            "accumulate"
            count
            (Int 1L)
            "batches whose gradients make one step of the optimizer, as if they were one batch"
        optional "clip_norm" positive Nothing "gradients are scaled down together to at most this norm"
        optional "clip_value" positive Nothing "each number of a gradient is cut to within ± this"
        optional
            "decay"
            (Choice [ "all"; "weights" ])
            (Text "all")
            "what weight decay is on: all parameters, or weights alone and neither biases nor factors of normalisation"
        optional
            "ema"
            (Number(0.0, 0.9999999))
            Nothing
            "decay of a moving average of the weights, which is what is validated, tested and kept as best"
        optional "patience" count Nothing "epochs without a better validation accuracy after which training stops early"
        optional "min_delta" probability (Float 0.0) "by how much an accuracy must be better to count"
        optional "seed" (Integer(0L, System.Int64.MaxValue)) (Int 1L) "of weights, order and augmentation"
    ]
