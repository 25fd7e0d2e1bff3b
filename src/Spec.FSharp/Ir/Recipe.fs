/// How a network is trained, after checking: what a `train { … }` section says.
namespace CnnSpec.Ir

open System

type DataSource =
    {
        /// As the command line names it: `mnist`, `fashion-mnist`, `cifar10`, `shapes`, or `folder`.
        Name: string
        /// The folder of images, where the name is `folder`.
        Path: string
        /// Training images held out for validation.
        Validation: int
        /// How many images to generate, where the name is `shapes`.
        TrainCount: int
        TestCount: int
        /// How many classes it has; nothing for a folder, which tells when it is opened.
        Classes: int option
    }

    /// What messages call it: a folder by its path.
    member this.Title = if this.Name = "folder" then this.Path else this.Name

    member this.WithValidation images = { this with Validation = images }

/// What a folder of images is, as far as it was looked at.
type FolderLook =
    | NotLooked
    /// Nothing can be trained on it, and why.
    | Unusable of reason: string
    /// So many classes, and so many images to train on.
    | Holds of classes: int * images: int

/// What pixels become after division by 255.
type PixelScaling =
    | UnitInterval
    /// Centred and scaled by the training set's channel means and deviations.
    | ByDataSet
    | ByChannel of mean: float list * deviation: float list

/// What is done to training images; random ones by the recipe's seed.
type Augmentation =
    | HorizontalFlip of probability: float
    | VerticalFlip of probability: float
    /// A window of the image's own size out of the padded image.
    | Crop of padding: int * reflect: bool
    | Pad of cells: int * reflect: bool
    | Resize of height: int * width: int
    /// A part of the image, resized to the whole. Szegedy et al. 2014, arXiv:1409.4842, section 6.
    | ResizedCrop of smallest: float * largest: float * narrowest: float * widest: float
    | Rotation of degrees: float
    | ColorJitter of brightness: float * contrast: float * saturation: float * hue: float
    /// A square set to the mean. DeVries & Taylor 2017, arXiv:1708.04552.
    | Cutout of size: int
    /// Zhong et al. 2017, arXiv:1708.04896.
    | RandomErasing of probability: float
    /// Cubuk et al. 2019, arXiv:1909.13719.
    | RandAugment of operations: int * magnitude: int
    /// Zhang et al. 2017, arXiv:1710.09412.
    | Mixup of alpha: float
    /// Yun et al. 2019, arXiv:1905.04899.
    | CutMix of alpha: float

type Optimizer =
    | Sgd of learningRate: float * momentum: float * dampening: float * weightDecay: float * nesterov: bool
    | Adam of learningRate: float * beta1: float * beta2: float * epsilon: float * weightDecay: float
    | AdamW of learningRate: float * beta1: float * beta2: float * epsilon: float * weightDecay: float
    | RmsProp of learningRate: float * alpha: float * epsilon: float * weightDecay: float * momentum: float

/// The learning rate's factor over time; epochs count from 0.
type Schedule =
    | ConstantRate
    /// Times `gamma` after every so many epochs.
    | Step of epochs: int * gamma: float
    /// Times `gamma` after each of these epochs.
    | MultiStep of milestones: int list * gamma: float
    /// Times `gamma` after every epoch.
    | Exponential of gamma: float
    /// A straight line from `start` to `final`.
    | Linear of start: float * final: float
    /// Half a cosine from 1 to `final`. Loshchilov & Hutter 2016, arXiv:1608.03983.
    | Cosine of final: float
    /// `(1 − t/T)^power`.
    | Polynomial of power: float
    /// Up from `start` to 1 during the first `rise` of all steps, then down to `final`, both along cosines.
    /// Smith & Topin 2017, arXiv:1708.07120; step by step as PyTorch's OneCycleLR.
    | OneCycle of rise: float * start: float * final: float
    /// Times `factor`, but never below `floor`, when `patience` epochs in a row have not brought the loss below the lowest
    /// times 1 − `threshold`; the next `cooldown` epochs are not counted. As PyTorch's ReduceLROnPlateau.
    | Plateau of factor: float * patience: int * threshold: float * cooldown: int * floor: float

/// Softmax cross-entropy.
type Loss =
    {
        /// Probability spread over all classes.
        LabelSmoothing: float
        /// What an image of each class counts; empty where all count alike.
        ClassWeights: float list
        /// The classes count alike however many images each has: N/(K·n) for one of K classes with n of N training images.
        /// King & Zeng 2001, "Logistic regression in rare events data".
        Balanced: bool
    }

/// What is done to gradients before a step.
type Clipping =
    | NoClipping
    /// All are scaled down together to at most this norm.
    | ByNorm of float
    /// Each number is cut to within ± this.
    | ByValue of float

/// Training ends when `Patience` epochs in a row have not brought the validation accuracy above the best by more than
/// `MinDelta`.
type EarlyStop = { Patience: int; MinDelta: float }

type Recipe =
    {
        Name: string
        Data: DataSource
        Scaling: PixelScaling
        /// In this order; those that mix images of a batch come last.
        Augment: Augmentation list
        Optimizer: Optimizer
        Schedule: Schedule
        /// Epochs (parts of them count) during which the rate climbs from 0 in equal steps.
        Warmup: float
        Loss: Loss
        Epochs: int
        Batch: int
        /// Batches whose gradients make one step of the optimizer.
        Accumulate: int
        Clipping: Clipping
        /// Weight decay leaves out parameters with fewer than two axes: biases, factors of normalisation.
        DecayWeightsOnly: bool
        /// Decay of the moving average of the weights, where there is one.
        AverageDecay: float option
        EarlyStop: EarlyStop option
        Seed: int64
    }

    /// The same recipe with some things changed from outside; null leaves them.
    member this.With(data: DataSource, epochs: Nullable<int>, batch: Nullable<int>, seed: Nullable<int64>) =
        { this with
            Data = if isNull (box data) then this.Data else data
            Epochs = if epochs.HasValue then epochs.Value else this.Epochs
            Batch = if batch.HasValue then batch.Value else this.Batch
            Seed = if seed.HasValue then seed.Value else this.Seed
        }

[<RequireQualifiedAccess>]
module Recipe =

    let learningRate (recipe: Recipe) =
        match recipe.Optimizer with
        | Sgd(learningRate = lr)
        | Adam(learningRate = lr)
        | AdamW(learningRate = lr)
        | RmsProp(learningRate = lr) -> lr

    let withLearningRate (lr: float) (recipe: Recipe) =
        let optimizer =
            match recipe.Optimizer with
            | Sgd(_, momentum, dampening, decay, nesterov) -> Sgd(lr, momentum, dampening, decay, nesterov)
            | Adam(_, beta1, beta2, epsilon, decay) -> Adam(lr, beta1, beta2, epsilon, decay)
            | AdamW(_, beta1, beta2, epsilon, decay) -> AdamW(lr, beta1, beta2, epsilon, decay)
            | RmsProp(_, alpha, epsilon, decay, momentum) -> RmsProp(lr, alpha, epsilon, decay, momentum)

        { recipe with Optimizer = optimizer }

    /// The same, with what an image of each class counts.
    let withClassWeights (weights: float seq) (recipe: Recipe) =
        { recipe with
            Loss = { recipe.Loss with ClassWeights = List.ofSeq weights; Balanced = false }
        }

    /// The same data and optimizer, and nothing that makes learning harder or changes its pace.
    let plain (recipe: Recipe) =
        { recipe with
            Augment = []
            Schedule = ConstantRate
            Warmup = 0.0
            Loss = { LabelSmoothing = 0.0; ClassWeights = []; Balanced = false }
            Accumulate = 1
            AverageDecay = None
            EarlyStop = None
        }

    /// Whether the rate's course is laid out over all epochs, so that more of them would change it from the start.
    let dependsOnLength (recipe: Recipe) =
        match recipe.Schedule with
        | Cosine _
        | Linear _
        | Polynomial _
        | OneCycle _ -> true
        | ConstantRate
        | Step _
        | MultiStep _
        | Exponential _
        | Plateau _ -> false

    /// The learning rate's factor for a step, counted from 0 over the whole training; without what a plateau took off it.
    let rateFactor (recipe: Recipe) (step: int64) (stepsPerEpoch: int64) : float =
        let total = float (max 1L (int64 recipe.Epochs * stepsPerEpoch))
        let epoch = int (step / stepsPerEpoch)
        let progress = float step / total

        let cosine low high part =
            low + (high - low) * 0.5 * (1.0 - cos (System.Math.PI * part))

        let factor =
            match recipe.Schedule with
            | ConstantRate -> 1.0
            | Step(epochs, gamma) -> System.Math.Pow(gamma, float (epoch / epochs))
            | MultiStep(milestones, gamma) ->
                System.Math.Pow(gamma, float (milestones |> List.filter (fun m -> epoch >= m) |> List.length))
            | Exponential gamma -> System.Math.Pow(gamma, float epoch)
            | Cosine final -> cosine 1.0 final progress
            | Polynomial power -> System.Math.Pow(max 0.0 (1.0 - progress), power)
            | Linear(start, final) -> start + (final - start) * progress
            | OneCycle(rise, start, final) ->
                let peak = rise * total - 1.0
                let last = total - 1.0

                if float step <= peak then
                    cosine start 1.0 (if peak > 0.0 then float step / peak else 1.0)
                else
                    cosine 1.0 final ((float step - peak) / max 1e-9 (last - peak))
            | Plateau _ -> 1.0

        let warmupSteps = recipe.Warmup * float stepsPerEpoch

        if float step < warmupSteps then
            factor * float (step + 1L) / (warmupSteps + 1.0)
        else
            factor
