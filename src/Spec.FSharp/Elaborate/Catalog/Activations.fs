/// Functions of each value, and softmax.
module internal CnnSpec.Elaborate.Activations

open CnnSpec.Operators
open Parameter

let all: Operator list =
    let activation name parameters summary reference build =
        Operator.create "Activations" name parameters summary reference name (fun bound _ -> build bound)

    let simple name summary reference activated =
        activation name [] summary reference (fun _ -> Activate activated)

    [
        simple "relu" "`max(0, x)`" "Nair & Hinton 2010" Relu
        simple "relu6" "`min(max(0, x), 6)`" "Sandler et al. 2018, arXiv:1801.04381" Relu6
        activation
            "leaky_relu"
            [ optional "slope" anyNumber (Float 0.01) "slope for negative values" ]
            "`x`, and `slope·x` where negative"
            "Maas et al. 2013"
            (fun bound -> Activate(LeakyRelu(bound.Float "slope")))
        activation
            "elu"
            [ optional "alpha" nonNegative (Float 1.0) "limit for large negative values" ]
            "`x`, and `alpha·(eˣ − 1)` where negative"
            "Clevert et al. 2015, arXiv:1511.07289"
            (fun bound -> Activate(Elu(bound.Float "alpha")))
        simple "selu" "scaled ELU, self-normalising" "Klambauer et al. 2017, arXiv:1706.02515" Selu
        activation
            "gelu"
            [
                optional "approximate" (Choice [ "none"; "tanh" ]) (Text "none") "exact, or the tanh approximation"
            ]
            "`x·Φ(x)`"
            "Hendrycks & Gimpel 2016, arXiv:1606.08415"
            (fun bound -> Activate(Gelu(bound.Text "approximate" = "tanh")))
        simple "silu" "`x·sigmoid(x)`, also called swish" "Elfwing et al. 2017, arXiv:1702.03118" Silu
        simple "mish" "`x·tanh(softplus(x))`" "Misra 2019, arXiv:1908.08681" Mish
        simple "softplus" "`ln(1 + eˣ)`" "" Softplus
        simple "sigmoid" "`1 / (1 + e⁻ˣ)`" "" Sigmoid
        simple "tanh" "hyperbolic tangent" "" Tanh
        simple "hard_sigmoid" "`min(max(0, x/6 + ½), 1)`" "Howard et al. 2019, arXiv:1905.02244" HardSigmoid
        simple "hard_swish" "`x·hard_sigmoid(x)`" "Howard et al. 2019, arXiv:1905.02244" HardSwish
        activation
            "prelu"
            [
                optional "per_channel" Flag (Bool false) "a slope for each channel"
                optional "initial" anyNumber (Float 0.25) "the slope before training"
            ]
            "leaky ReLU whose slope is a parameter"
            "He et al. 2015, arXiv:1502.01852"
            (fun bound -> PRelu(bound.Flag "per_channel", bound.Float "initial"))
        activation "softmax" [] "exponentials that sum to one, over channels or features" "" (fun _ -> Softmax)
        activation "log_softmax" [] "logarithm of softmax" "" (fun _ -> LogSoftmax)
    ]
