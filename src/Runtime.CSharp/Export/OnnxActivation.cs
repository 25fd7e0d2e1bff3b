using CnnSpec.Operators;
using static CnnSpec.Runtime.Export.OnnxAttribute;

namespace CnnSpec.Runtime.Export;

/// <summary>Activations in ONNX, opset 17.</summary>
internal static class OnnxActivation
{
    public static string Emit(OnnxLayer layer, Activation activation) =>
        activation switch
        {
            Activation.LeakyRelu a => layer.Unary("LeakyRelu", Of("alpha", a.slope)),
            Activation.Elu a => layer.Unary("Elu", Of("alpha", a.alpha)),
            Activation.Gelu a => a.tanhApproximation ? GeluByTanh(layer) : Gelu(layer),
            { IsRelu: true } => layer.Unary("Relu"),
            { IsRelu6: true } => layer.Add("Clip", [layer.X, layer.Number(0), layer.Number(6)]),
            { IsSelu: true } => layer.Unary("Selu"),
            { IsSilu: true } => layer.Add("Mul", [layer.X, layer.Unary("Sigmoid")]),
            { IsMish: true } => layer.Add("Mul", [layer.X, layer.Add("Tanh", [layer.Unary("Softplus")])]),
            { IsSoftplus: true } => layer.Unary("Softplus"),
            { IsSigmoid: true } => layer.Unary("Sigmoid"),
            { IsTanh: true } => layer.Unary("Tanh"),
            { IsHardSigmoid: true } => layer.Unary("HardSigmoid", Of("alpha", 1.0 / 6), Of("beta", 0.5)),
            { IsHardSwish: true } => layer.Unary("HardSwish"),
            _ => throw new NotSupportedException($"ONNX has no activation {activation}"),
        };

    /// <summary>x · (1 + erf(x / √2)) / 2. Hendrycks &amp; Gimpel 2016, arXiv:1606.08415.</summary>
    private static string Gelu(OnnxLayer layer)
    {
        string erf = layer.Add("Erf", [layer.Times(layer.X, 1 / Math.Sqrt(2))]);
        return layer.Times(layer.Add("Mul", [layer.X, layer.Plus(erf, 1)]), 0.5);
    }

    /// <summary>x · (1 + tanh(√(2/π) · (x + 0.044715 x³))) / 2, of the same paper.</summary>
    private static string GeluByTanh(OnnxLayer layer)
    {
        string square = layer.Add("Mul", [layer.X, layer.X]);
        string factor = layer.Plus(layer.Times(square, 0.044715), 1);
        string inner = layer.Times(layer.Add("Mul", [layer.X, factor]), Math.Sqrt(2 / Math.PI));
        string outer = layer.Plus(layer.Add("Tanh", [inner]), 1);
        return layer.Times(layer.Add("Mul", [layer.X, outer]), 0.5);
    }
}
