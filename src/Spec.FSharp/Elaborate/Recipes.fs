/// The recipe table: the keys of a `train { … }` section and everything their values can name.
module CnnSpec.Elaborate.Recipes

open CnnSpec.Text
open CnnSpec.Syntax
open CnnSpec.Ir
open CnnSpec.Elaborate.Parameter

/// Something a recipe can name: a data set, an optimizer, a schedule, a loss …
type Entry<'a> = { Signature: Signature; Summary: string; Build: Bound -> 'a }

let private entry name parameters summary build =
    { Signature = { Name = name; Parameters = parameters }; Summary = summary; Build = build }

let private number name kind (value: float) doc = optional name kind (Float value) doc

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
            [ required "path" Words "a folder with one folder of images for each class"; validation ]
            "your own images: `folder/class/*.png|jpg`, optionally below `train` and `test`"
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
            "one_cycle"
            [
                number "rise" (Number(0.001, 0.999)) 0.3 "part of all steps spent climbing"
                number "start" nonNegative 0.04 "first factor"
                number "final" nonNegative 1e-4 "last factor"
            ]
            "up to the learning rate and down again, along cosines"
            (fun b -> OneCycle(b.Float "rise", b.Float "start", b.Float "final"))
    ]

let losses: Entry<float> list =
    [
        entry
            "cross_entropy"
            [ number "label_smoothing" probability 0.0 "probability spread over all classes" ]
            "softmax cross-entropy of the logits"
            (fun b -> b.Float "label_smoothing")
    ]

let scalings: Entry<PixelScaling> list =
    [
        entry "unit" [] "pixels from 0 to 1" (fun _ -> UnitInterval)
        entry "dataset" [] "centred and scaled by the training images' channel means and deviations" (fun _ ->
            ByDataSet)
        entry
            "by_channel"
            [ required "mean" Numbers "means of pixels from 0 to 1"; required "std" Numbers "deviations" ]
            "centred and scaled by these numbers"
            (fun b -> ByChannel(b.Floats "mean", b.Floats "std"))
    ]

let private interval name low high doc =
    optional name Numbers (List [ Float low; Float high ]) doc

let private ends (bound: Bound) name =
    match bound.Floats name with
    | [ low; high ] -> low, high
    | [ only ] -> only, only
    | _ -> 0.0, 0.0

let private half doc = number "p" probability 0.5 doc

let augmentations: Entry<Augmentation> list =
    [
        entry "flip" [ half "probability" ] "mirrors left and right" (fun b -> HorizontalFlip(b.Float "p"))
        entry "vertical_flip" [ half "probability" ] "mirrors top and bottom" (fun b -> VerticalFlip(b.Float "p"))
        entry
            "crop"
            [
                optional "padding" natural (Int 4L) "cells added on each side first"
                optional "mode" (Choice [ "zeros"; "reflect" ]) (Text "zeros") "what they are filled with"
            ]
            "a window of the image's size out of the padded image"
            (fun b -> Crop(b.Int "padding", b.Text "mode" = "reflect"))
        entry
            "resized_crop"
            [
                interval "scale" 0.08 1.0 "part of the area, from and to"
                interval "ratio" 0.75 (4.0 / 3.0) "width over height, from and to"
            ]
            "a part of the image, resized to the whole; torchvision's sampling rule"
            (fun b ->
                let smallest, largest = ends b "scale"
                let narrowest, widest = ends b "ratio"
                ResizedCrop(smallest, largest, narrowest, widest))
        entry
            "rotate"
            [ required "degrees" (Number(0.0, 180.0)) "at most this much either way" ]
            "turns the image"
            (fun b -> Rotation(b.Float "degrees"))
        entry
            "color_jitter"
            [
                number "brightness" nonNegative 0.0 "factor within 1 ± this"
                number "contrast" nonNegative 0.0 "factor within 1 ± this"
                number "saturation" nonNegative 0.0 "factor within 1 ± this"
                number "hue" (Number(0.0, 0.5)) 0.0 "shift within ± this part of the circle"
            ]
            "changes colours; torchvision's definitions"
            (fun b -> ColorJitter(b.Float "brightness", b.Float "contrast", b.Float "saturation", b.Float "hue"))
        entry "cutout" [ required "size" count "side of the square" ] "a square set to the mean" (fun b ->
            Cutout(b.Int "size"))
        entry "random_erasing" [ half "probability" ] "a rectangle set to the mean" (fun b ->
            RandomErasing(b.Float "p"))
        entry
            "rand_augment"
            [
                optional "operations" count (Int 2L) "how many, one after the other"
                optional "magnitude" (Integer(0L, 30L)) (Int 9L) "their strength"
            ]
            "random operations of one strength; torchvision's list"
            (fun b -> RandAugment(b.Int "operations", b.Int "magnitude"))
        entry
            "mixup"
            [ number "alpha" positive 1.0 "of the Beta distribution" ]
            "blends pairs of images and labels"
            (fun b -> Mixup(b.Float "alpha"))
        entry
            "cutmix"
            [ number "alpha" positive 1.0 "of the Beta distribution" ]
            "pastes a part of one image into another"
            (fun b -> CutMix(b.Float "alpha"))
    ]

/// Every name that a recipe's values can use.
let names: string list =
    List.concat
        [
            dataSets |> List.map _.Signature.Name
            optimizers |> List.map _.Signature.Name
            schedules |> List.map _.Signature.Name
            losses |> List.map _.Signature.Name
            scalings |> List.map _.Signature.Name
            augmentations |> List.map _.Signature.Name
        ]

/// The keys of a recipe, their types, defaults and meaning.
let keys: ParameterInfo list =
    [
        required "data" (One "data set") "what to train on"
        optional "normalize" (One "scaling") Nothing "how pixels are scaled; from 0 to 1 if unsaid"
        optional "augment" (Many "augmentation") (List []) "what is done to training images, in this order"
        optional "optimizer" (One "optimizer") Nothing "adamw() if unsaid"
        optional "schedule" (One "schedule") Nothing "the rate's course; constant if unsaid"
        optional "warmup" nonNegative (Int 0L) "epochs (or parts) of linear warm-up before the schedule's full rate"
        optional "loss" (One "loss") Nothing "cross_entropy() if unsaid"
        optional "epochs" count (Int 10L) "passes over the training images"
        optional "batch" count (Int 128L) "images in a step"
        optional "seed" (Integer(0L, System.Int64.MaxValue)) (Int 1L) "of weights, order and augmentation"
    ]

/// Used where a file has no recipe and the command line says what to train on.
let fallback (data: DataSource) : Recipe =
    {
        Name = "default"
        Data = data
        Scaling = ByDataSet
        Augment = []
        Optimizer = AdamW(1e-3, 0.9, 0.999, 1e-8, 0.01)
        Schedule = ConstantRate
        Warmup = 0.0
        LabelSmoothing = 0.0
        Epochs = 10
        Batch = 128
        Seed = 1L
    }

let private article (noun: string) =
    if "aeiou".Contains noun[0] then
        $"an {noun}"
    else
        $"a {noun}"

let private build report what (entries: Entry<'a> list) (value: Value) (span: Span) : 'a option =
    match value with
    | Made made ->
        match entries |> List.tryFind (fun e -> e.Signature.Name = made.Name) with
        | Some entry ->
            let bound, problems = Signature.bind entry.Signature made.Span made.Arguments
            List.iter report problems
            bound |> Option.map entry.Build
        | None ->
            let names = entries |> List.map _.Signature.Name

            let diagnostic =
                Diagnostic.error "E0401" made.Span $"'{made.Name}' is not {article what}"

            let help =
                match Suggest.nearest made.Name names with
                | Some near -> $"did you mean '{near}'?"
                | None -> $"""use one of {String.concat ", " names}"""

            report (Diagnostic.withHelp help diagnostic)
            None
    | Unknown -> None
    | other ->
        report (Diagnostic.error "E0206" span $"this must be {article what}, and is {Value.kind other}")
        None

/// What contradicts itself or the network: milestones that never come, more held out than there is, a wrong head.
let private contradictions (recipe: Recipe) (spans: Map<string, Span>) (whole: Span) (classes: int64 option) =
    let at key =
        Map.tryFind key spans |> Option.defaultValue whole

    [
        match recipe.Schedule with
        | MultiStep(milestones, _) ->
            for milestone in milestones do
                if milestone >= recipe.Epochs then
                    Diagnostic.error
                        "E0402"
                        (at "schedule")
                        $"the milestone {milestone} comes after the last of {recipe.Epochs} epochs"
                    |> Diagnostic.withHelp "lower the milestone or train for more epochs"
        | _ -> ()

        if recipe.Warmup > float recipe.Epochs then
            Diagnostic.error
                "E0402"
                (at "warmup")
                $"the warm-up of {recipe.Warmup} epochs is longer than the training of {recipe.Epochs}"

        for augmentation in recipe.Augment do
            match augmentation with
            | ResizedCrop(smallest, largest, narrowest, widest) when
                smallest <= 0.0 || largest > 1.0 || smallest > largest || narrowest <= 0.0 || narrowest > widest
                ->
                Diagnostic.error
                    "E0402"
                    (at "augment")
                    "resized_crop needs 0 < scale ≤ 1 and ratio > 0, each as [low, high]"
            | _ -> ()

        let available =
            match recipe.Data.Name with
            | "mnist"
            | "fashion-mnist" -> Some 60_000
            | "cifar10" -> Some 50_000
            | "shapes" -> Some recipe.Data.TrainCount
            | _ -> None

        match available with
        | Some count when recipe.Data.Validation >= count ->
            Diagnostic.error "E0403" (at "data") $"{recipe.Data.Validation} images cannot be held out of {count}"
            |> Diagnostic.withHelp $"hold out fewer than {count}"
        | Some count when recipe.Batch > count - recipe.Data.Validation ->
            Diagnostic.error
                "E0403"
                (at "batch")
                $"a batch of {recipe.Batch} is more than the {count - recipe.Data.Validation} training images"
        | _ -> ()

        match recipe.Data.Classes, classes with
        | Some wanted, Some given when int64 wanted <> given ->
            Diagnostic.error
                "E0404"
                (at "data")
                $"{recipe.Data.Name} has {wanted} classes, and the network's head gives {given}"
            |> Diagnostic.withHelp $"let the last layer have {wanted} outputs"
        | _ -> ()
    ]

/// The recipe that a `train` section says for a network whose head has `classes` outputs; nothing where it is wrong.
/// Values may use the network's parameters (`variables`).
let elaborate
    (declarations: Declarations)
    constants
    budget
    (report: Diagnostic -> unit)
    (variables: Evaluate.Variables)
    (classes: int64 option)
    (declaration: TrainDeclaration)
    : Recipe option =
    let failed = ref false

    let report diagnostic =
        failed.Value <- true
        report diagnostic

    let context: Evaluate.Context =
        {
            Functions = declarations.Functions
            Constants = constants
            IsConstruction = fun name -> List.contains name names
            Ambient = fun _ _ -> None
            Candidates = fun () -> names
            Report = report
            Budget = budget
        }

    let given: Given list =
        declaration.Settings
        |> List.map (fun setting ->
            {
                Name = Some setting.Key.Name
                Value = Evaluate.value context variables setting.Value
                Span = Span.cover setting.Key.Span setting.Value.Span
            })

    let spans = given |> List.map (fun g -> g.Name.Value, g.Span) |> Map.ofList
    let signature = { Name = "train"; Parameters = keys }
    let keyword = { declaration.Span with End = declaration.Span.Start + 5 }
    let bound, problems = Signature.bind signature keyword given
    List.iter report problems

    match bound with
    | None -> None
    | Some bound ->
        let at key =
            Map.tryFind key spans |> Option.defaultValue keyword

        let choice what entries key fallback =
            match bound.Value key with
            | Nothing -> fallback
            | value -> build report what entries value (at key)

        let data = choice "data set" dataSets "data" None

        let optimizer =
            choice "optimizer" optimizers "optimizer" (Some(AdamW(1e-3, 0.9, 0.999, 1e-8, 0.01)))

        let schedule = choice "schedule" schedules "schedule" (Some ConstantRate)
        let scaling = choice "scaling" scalings "normalize" (Some UnitInterval)

        let augment =
            match bound.Value "augment" with
            | List items ->
                items |> List.map (fun item -> build report "augmentation" augmentations item (at "augment"))
            | one -> [ build report "augmentation" augmentations one (at "augment") ]

        let smoothing = choice "loss" losses "loss" (Some 0.0)

        match data, optimizer, schedule, scaling, smoothing with
        | Some data, Some optimizer, Some schedule, Some scaling, Some smoothing ->
            let recipe =
                {
                    Name = declaration.Name
                    Data = data
                    Scaling = scaling
                    Augment = List.choose id augment
                    Optimizer = optimizer
                    Schedule = schedule
                    Warmup = bound.Float "warmup"
                    LabelSmoothing = smoothing
                    Epochs = bound.Int "epochs"
                    Batch = bound.Int "batch"
                    Seed =
                        match bound.Value "seed" with
                        | Int seed -> seed
                        | _ -> 1L
                }

            contradictions recipe spans keyword classes |> List.iter report
            if failed.Value then None else Some recipe
        | _ -> None
