using CnnSpec.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Inference;

/// <summary>A batch on a device.</summary>
/// <param name="Images"><c>[N,C,H,W]</c>, float32.</param>
/// <param name="Labels"><c>[N]</c>, int64.</param>
/// <param name="Mixed">Where images are mixed with others: the others' labels <c>[N]</c>, and the share of their own
/// <c>[N]</c>, float32.</param>
internal sealed record BatchTensors(Tensor Images, Tensor Labels, (Tensor Labels, Tensor Share)? Mixed = null)
{
    public static BatchTensors Of(Batch batch, Device device)
    {
        var shape = batch.Shape;
        return new BatchTensors(
            tensor(
                    batch.Pixels.AsMemory(0, batch.Count * shape.Size),
                    [batch.Count, shape.Channels, shape.Height, shape.Width]
                )
                .to(device),
            OfLabels(batch.Labels.AsMemory(0, batch.Count), device),
            batch.Mixing is not { } mixing
                ? null
                : (
                    OfLabels(Array.ConvertAll(mixing.Partner, row => batch.Labels[row]), device),
                    tensor(mixing.Weight, device: device)
                )
        );
    }

    public long Count => Labels.size(0);

    private static Tensor OfLabels(Memory<long> labels, Device device) => tensor(labels, [labels.Length]).to(device);
}
