/// What contradicts itself, the network or the data in a recipe whose every value is right by itself.
module internal CnnSpec.Elaborate.RecipeChecks

open CnnSpec.Text
open CnnSpec.Operators
open CnnSpec.Ir

/// Training images before any are held out; nothing for a folder that was not looked at.
let available (data: DataSource) =
    match data.Name with
    | "mnist"
    | "fashion-mnist" -> Some 60_000
    | "cifar10" -> Some 50_000
    | _ when data.TrainCount > 0 -> Some data.TrainCount
    | _ -> None

/// Schedules and waits that reach beyond the last epoch.
let tooLong at (recipe: Recipe) =
    let error key text = Diagnostic.error "E0402" (at key) text

    let whole count =
        if count = 1 then "1 epoch" else $"{count} epochs"

    [
        match recipe.Schedule with
        | MultiStep(milestones, _) ->
            for milestone in milestones do
                if milestone >= recipe.Epochs then
                    error "schedule" $"the milestone {milestone} comes after the last of {whole recipe.Epochs}"
                    |> Diagnostic.withHelp "lower the milestone or train for more epochs"
        | Step(epochs, _) when epochs >= recipe.Epochs ->
            error "schedule" $"a step after every {whole epochs} never comes in {whole recipe.Epochs}"
            |> Diagnostic.withHelp "step more often or train for more epochs"
        | Plateau(patience = patience) when patience >= recipe.Epochs ->
            error "schedule" $"a patience of {whole patience} never runs out in {whole recipe.Epochs}"
            |> Diagnostic.withHelp "lower the patience or train for more epochs"
        | _ -> ()

        if recipe.Warmup > float recipe.Epochs then
            error "warmup" $"the warm-up of {recipe.Warmup} epochs is longer than the training of {recipe.Epochs}"

        match recipe.EarlyStop with
        | Some stop when stop.Patience >= recipe.Epochs ->
            error "patience" $"a patience of {whole stop.Patience} never runs out in {whole recipe.Epochs}"
            |> Diagnostic.withHelp "lower the patience or train for more epochs"
        | _ -> ()
    ]

/// More images than there are.
let private tooMany at (recipe: Recipe) =
    let error key text = Diagnostic.error "E0403" (at key) text

    [
        match available recipe.Data with
        // All of a small folder are one batch, and what is held out of it is looked at when it is opened.
        | _ when recipe.Data.Name = "folder" -> ()
        | Some count when recipe.Data.Validation >= count ->
            error "data" $"{recipe.Data.Validation} images cannot be held out of {count}"
            |> Diagnostic.withHelp $"hold out fewer than {count}"
        | Some count ->
            let images = count - recipe.Data.Validation

            if recipe.Batch > images then
                error "batch" $"a batch of {recipe.Batch} is more than the {images} training images"
            elif recipe.Accumulate > (images + recipe.Batch - 1) / recipe.Batch then
                error
                    "accumulate"
                    $"{recipe.Accumulate} batches of {recipe.Batch} are more than the {images} training images"
        | None -> ()
    ]

/// Settings that exclude or need each other.
let private exclusive at (recipe: Recipe) (given: string -> bool) =
    let error key text help =
        Diagnostic.error "E0405" (at key) text |> Diagnostic.withHelp help

    [
        match recipe.Optimizer with
        | Sgd(nesterov = true; momentum = momentum; dampening = dampening) when momentum = 0.0 || dampening <> 0.0 ->
            error
                "optimizer"
                "Nesterov's momentum needs a momentum, and no dampening"
                "give sgd a momentum, as in sgd(lr=0.1, momentum=0.9, nesterov=true)"
        | Adam(beta1 = beta1; beta2 = beta2)
        | AdamW(beta1 = beta1; beta2 = beta2) when beta1 >= 1.0 || beta2 >= 1.0 ->
            error "optimizer" "a decay of 1 never lets a gradient in" "choose betas below 1, such as 0.9 and 0.999"
        | _ -> ()

        if given "clip_norm" && given "clip_value" then
            error
                "clip_value"
                "gradients are clipped by their norm or number by number, not both"
                "leave one of them out"

        // A folder may have images for validation of its own.
        if recipe.EarlyStop.IsSome && recipe.Data.Validation = 0 && recipe.Data.Name <> "folder" then
            error
                "patience"
                "stopping early needs a validation accuracy, and no images are held out"
                "hold some out, as in data = cifar10(validation=5000)"

        if given "min_delta" && not (given "patience") then
            error "min_delta" "min_delta belongs to stopping early, and no patience is given" "add patience = 10"
    ]

/// Means and deviations that no pixels from 0 to 1 have.
let scaling (span: Span) (scaling: PixelScaling) =
    [
        match scaling with
        | ByChannel(mean, deviation) ->
            for value in mean do
                if value > 1.0 then
                    Diagnostic.error "E0407" span $"pixels are from 0 to 1, and no mean of theirs is {value}"
                    |> Diagnostic.withHelp $"of pixels from 0 to 255 it is divided by 255: %.4g{value / 255.0}"

            for value in deviation do
                if value <= 0.0 then
                    Diagnostic.error "E0407" span $"pixels are divided by their deviation, which cannot be {value}"
        | UnitInterval
        | ByDataSet -> ()
    ]

/// Classes and shapes that are not the network's.
let private misfits at (recipe: Recipe) (input: Shape) (output: Shape option) (parameters: Map<string, Value>) =
    /// The parameter of the network that has the head's width now.
    let parameterOf width =
        parameters |> Map.tryPick (fun name value -> if value = Int width then Some name else None)

    [
        match output, recipe.Data.Classes with
        | Some [ given ], Some wanted when int64 wanted <> given ->
            Diagnostic.error
                "E0404"
                (at "data")
                $"{recipe.Data.Title} has {wanted} classes, and the network's head gives {given}"
            |> Diagnostic.withHelp (
                match parameterOf given with
                | Some name -> $"let the last layer have {wanted} outputs, as with {name}={wanted}"
                | None -> $"let the last layer have {wanted} outputs"
            )
        | Some [ _ ], _
        | None, _ -> ()
        | Some shape, _ ->
            Diagnostic.error
                "E0404"
                (at "data")
                $"the network gives {Shape.describe shape} for an image, and a recipe trains one number for each class"
            |> Diagnostic.withHelp "end the network with flatten and linear(classes)"

        match recipe.Loss.ClassWeights, output with
        | [], _ -> ()
        | weights, Some [ classes ] when int64 weights.Length <> classes ->
            Diagnostic.error "E0406" (at "loss") $"there are {weights.Length} class weights for {classes} classes"
            |> Diagnostic.withHelp "give one number for each class, in the order of the classes"
        | weights, _ when weights |> List.exists (fun weight -> weight < 0.0) || List.forall ((=) 0.0) weights ->
            Diagnostic.error "E0406" (at "loss") "class weights must be 0 or more, and one of them above 0"
        | _ -> ()

        for augmentation in recipe.Augment do
            match augmentation with
            | ResizedCrop(smallest, largest, narrowest, widest) when
                smallest <= 0.0 || largest > 1.0 || smallest > largest || narrowest <= 0.0 || narrowest > widest
                ->
                Diagnostic.error
                    "E0207"
                    (at "augment")
                    "resized_crop needs 0 < scale ≤ 1 and ratio > 0, each as [low, high]"
            | _ -> ()

        match input with
        | [ channels; height; width ] ->
            let whole = height, width

            let after =
                (Ok whole, recipe.Augment)
                ||> List.fold (fun size step ->
                    size |> Result.bind (fun size -> AugmentationTable.resized whole size step))

            match after with
            | Ok size when size = whole -> ()
            | Ok(height, width) ->
                Diagnostic.error
                    "E0407"
                    (at "augment")
                    $"augmentation leaves images of {height} × {width}, and the network takes {fst whole} × {snd whole}"
                |> Diagnostic.withHelp "end with crop(padding=0), which cuts out a window of the network's size"
            | Error problem -> Diagnostic.error "E0407" (at "augment") problem

            match recipe.Scaling with
            | ByChannel(mean, deviation) ->
                for name, values in [ "mean", mean; "std", deviation ] do
                    if values.Length <> 1 && int64 values.Length <> channels then
                        Diagnostic.error
                            "E0407"
                            (at "normalize")
                            $"{name} has {values.Length} numbers for images of {channels} channels"
                        |> Diagnostic.withHelp "give one number, or one for each channel"

                yield! scaling (at "normalize") recipe.Scaling
            | UnitInterval
            | ByDataSet -> ()
        | _ -> ()
    ]

/// All of it. `spans` has the settings that were given; what is unsaid is complained about at `whole`.
let contradictions
    (recipe: Recipe)
    (spans: Map<string, Span>)
    (whole: Span)
    (input: Shape)
    (output: Shape option)
    (parameters: Map<string, Value>)
    : Diagnostic list =
    let at key =
        Map.tryFind key spans |> Option.defaultValue whole

    let given key = Map.containsKey key spans

    tooLong at recipe
    @ tooMany at recipe
    @ exclusive at recipe given
    @ misfits at recipe input output parameters
