/// Layers that do something in training only.
module internal CnnSpec.Elaborate.Regularisers

open CnnSpec.Operators
open Parameter

let private drop value =
    optional "p" probability (Float value) "probability"

let all: Operator list =
    let operator = Operator.create "Regularisation"

    [
        operator
            "dropout"
            [ drop 0.5 ]
            "Sets values to zero with probability `p` in training and scales the rest by `1/(1−p)`."
            "Srivastava et al. 2014"
            "dropout(0.5)"
            (fun bound _ -> Dropout(bound.Float "p"))
        operator
            "dropout2d"
            [ drop 0.5 ]
            "Dropout of whole channels."
            "Tompson et al. 2014, arXiv:1411.4280"
            "dropout2d(0.1)"
            (fun bound _ -> Dropout2d(bound.Float "p"))
        operator
            "drop_path"
            [ drop 0.1 ]
            "Stochastic depth: sets a sample's whole tensor to zero with probability `p` in training, scales the rest."
            "Huang et al. 2016, arXiv:1603.09382"
            "drop_path(0.2)"
            (fun bound _ -> DropPath(bound.Float "p"))
    ]
