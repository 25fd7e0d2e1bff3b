/// Layers that give their input a mean and a variance.
module internal CnnSpec.Elaborate.Normalisations

open CnnSpec.Operators
open Parameter

let private epsilon value =
    optional "eps" positive (Float value) "added to the variance"

let private affine value =
    optional "affine" Flag (Bool value) "learn a factor and an offset for each channel"

let private normalisation (bound: Bound) : Normalisation =
    { Epsilon = bound.Float "eps"; Affine = bound.Flag "affine" }

let all: Operator list =
    let operator = Operator.create "Normalisation"

    [
        operator
            "batch_norm"
            [
                epsilon 1e-5
                optional "momentum" probability (Float 0.1) "weight of the new batch in the running statistics"
                affine true
            ]
            "Normalises each channel over the batch; in evaluation by running statistics. Maps or features."
            "Ioffe & Szegedy 2015, arXiv:1502.03167"
            "batch_norm"
            (fun bound _ ->
                BatchNorm
                    {
                        Epsilon = bound.Float "eps"
                        Momentum = bound.Float "momentum"
                        Affine = bound.Flag "affine"
                    })
        operator
            "layer_norm"
            [
                epsilon 1e-5
                affine true
                optional
                    "over"
                    (Choice [ "all"; "channels" ])
                    (Text "all")
                    "normalise the whole sample, or each pixel over its channels"
            ]
            "Normalises each sample by itself."
            "Ba et al. 2016, arXiv:1607.06450; over channels: Liu et al. 2022, arXiv:2201.03545"
            "layer_norm(over=\"channels\", eps=1e-6)"
            (fun bound _ -> LayerNorm(normalisation bound, bound.Text "over" = "channels"))
        operator
            "group_norm"
            [ required "groups" count "groups of channels"; epsilon 1e-5; affine true ]
            "Normalises groups of channels of each sample."
            "Wu & He 2018, arXiv:1803.08494"
            "group_norm(4)"
            (fun bound _ -> GroupNorm(bound.Int "groups", normalisation bound))
        operator
            "instance_norm"
            [ epsilon 1e-5; affine false ]
            "Normalises each channel of each sample."
            "Ulyanov et al. 2016, arXiv:1607.08022"
            "instance_norm"
            (fun bound _ -> InstanceNorm(normalisation bound))
        operator
            "local_response_norm"
            [
                optional "size" count (Int 5L) "neighbouring channels that count"
                optional "alpha" nonNegative (Float 1e-4) "factor of the sum of squares"
                optional "beta" anyNumber (Float 0.75) "exponent"
                optional "k" anyNumber (Float 1.0) "constant added to the sum (AlexNet: 2)"
            ]
            "Divides each value by the activity of the neighbouring channels; `alpha` is divided by `size`, as in PyTorch."
            "Krizhevsky et al. 2012, section 3.3"
            "local_response_norm(5, k=2)"
            (fun bound _ ->
                LocalResponseNorm(bound.Int "size", bound.Float "alpha", bound.Float "beta", bound.Float "k"))
    ]
