using CnnSpec.Runtime.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Training;

internal static class BatchTensors
{
    /// <summary>Copies a batch to a device: images <c>[N,C,H,W]</c> as float32, labels <c>[N]</c> as int64.</summary>
    public static (Tensor Images, Tensor Labels) ToTensors(this Batch batch, Device device)
    {
        var shape = batch.Shape;
        return (
            tensor(
                    batch.Pixels.AsMemory(0, batch.Count * shape.Size),
                    [batch.Count, shape.Channels, shape.Height, shape.Width]
                )
                .to(device),
            tensor(batch.Labels.AsMemory(0, batch.Count), [batch.Count]).to(device)
        );
    }
}
