/// The initialisation rules that a spec can name.
module CnnSpec.Elaborate.Initialisers

open CnnSpec.Operators
open Parameter

type Entry = { Signature: Signature; Summary: string; Reference: string; Build: Bound -> Initialiser }

let private entry name parameters summary reference build =
    {
        Signature = { Name = name; Parameters = parameters }
        Summary = summary
        Reference = reference
        Build = build
    }

let private mean = optional "mean" anyNumber (Float 0.0) "centre"
let private deviation = optional "std" nonNegative (Float 1.0) "standard deviation"
let private gain = optional "gain" anyNumber (Float 1.0) "factor"

let private mode =
    optional "mode" (Choice [ "fan_in"; "fan_out" ]) (Text "fan_in") "which fan keeps its variance"

let private slope =
    optional "a" nonNegative (Float 0.0) "negative slope of the activation behind the layer"

let private kaiming (bound: Bound) make =
    make (bound.Text "mode" = "fan_out", bound.Float "a")

let all: Entry list =
    [
        entry "zeros" [] "all 0" "" (fun _ -> Constant 0.0)
        entry "ones" [] "all 1" "" (fun _ -> Constant 1.0)
        entry "constant" [ required "value" anyNumber "the value" ] "all equal" "" (fun b -> Constant(b.Float "value"))
        entry "normal" [ mean; deviation ] "normally distributed" "" (fun b -> Normal(b.Float "mean", b.Float "std"))
        entry
            "truncated_normal"
            [ mean; deviation ]
            "normally distributed, drawn again beyond ±2 (absolute), as PyTorch's trunc_normal_"
            ""
            (fun b -> TruncatedNormal(b.Float "mean", b.Float "std"))
        entry
            "uniform"
            [
                optional "low" anyNumber (Float 0.0) "lower bound"
                optional "high" anyNumber (Float 1.0) "upper bound"
            ]
            "evenly distributed"
            ""
            (fun b -> Uniform(b.Float "low", b.Float "high"))
        entry
            "kaiming_normal"
            [ mode; slope ]
            "normal with deviation √(2/((1+a²)·fan))"
            "He et al. 2015, arXiv:1502.01852, section 2.2"
            (fun b -> kaiming b KaimingNormal)
        entry
            "kaiming_uniform"
            [ mode; slope ]
            "uniform within ±√(6/((1+a²)·fan))"
            "He et al. 2015, arXiv:1502.01852, section 2.2"
            (fun b -> kaiming b KaimingUniform)
        entry
            "xavier_normal"
            [ gain ]
            "normal with deviation gain·√(2/(fan_in+fan_out))"
            "Glorot & Bengio 2010"
            (fun b -> XavierNormal(b.Float "gain"))
        entry "xavier_uniform" [ gain ] "uniform within ±gain·√(6/(fan_in+fan_out))" "Glorot & Bengio 2010" (fun b ->
            XavierUniform(b.Float "gain"))
        entry "orthogonal" [ gain ] "an orthogonal matrix" "Saxe et al. 2013, arXiv:1312.6120" (fun b ->
            Orthogonal(b.Float "gain"))
    ]

let tryFind name =
    all |> List.tryFind (fun e -> e.Signature.Name = name)

let names = all |> List.map _.Signature.Name
