using CnnSpec.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Networks.Native;

/// <summary>
/// Maps joined by channel, in the memory of one of them that was made with room around it. A chain of concatenations, as in
/// DenseNet (Huang et al. 2017, arXiv:1608.06993), then copies what is new alone.
/// </summary>
/// <param name="within">The input that lies with room for the others around it, and lends it once; null where none does.</param>
/// <param name="before">Channels of room before the result, where it lies in memory of its own.</param>
/// <param name="after">Channels of room after it.</param>
internal sealed class NativeConcat(int? within, long before, long after) : Computation
{
    private static readonly Operation Concatenate = (x, _, _) => cat([.. x], 1);
    private readonly Composed _composed = new(Concatenate, LayerWeights.None, null);

    public override Tensor Run(IReadOnlyList<Tensor> x, bool training) =>
        Fits(x) && !is_grad_enabled() ? Forward(x) : _composed.Run(x, training);

    public override Tensor Record(IReadOnlyList<Tensor> x, Kept kept)
    {
        if (!Fits(x))
            return _composed.Record(x, kept);
        kept.Shape = Ends(x);
        return Forward(x);
    }

    public override void Backward(Tensor dy, Kept kept, Gradients gradients)
    {
        if (kept.Shape is not long[] ends)
        {
            _composed.Backward(dy, kept, gradients);
            return;
        }
        using var rows = dy.AsRows();
        for (int i = 0; i + 1 < ends.Length; i++)
        {
            if (!gradients.Wants(i))
                continue;
            var part = rows.Neighbours(ends[i], ends[i + 1] - ends[i]);
            // What is new came from a layer that reads rows without gaps.
            if (i == within)
            {
                // The others' parts are copied, so that this one has the memory for itself.
                gradients.Give(i, part, isFresh: gradients.TakenIsOwn);
                continue;
            }
            using (part)
            {
                var dense = TensorMemory.EmptyRowsLike(part);
                Copy(part, dense);
                gradients.Give(i, dense, isFresh: true);
            }
        }
    }

    private Tensor Forward(IReadOnlyList<Tensor> x)
    {
        long[] ends = Ends(x);
        long channels = ends[^1];
        bool lent = within is { } lender && HasRoom(x[lender], ends[lender], channels - ends[lender + 1]);
        var y = lent ? x[within!.Value].Neighbours(-ends[within.Value], channels) : WithRoom(x[0], channels);
        for (int i = 0; i < x.Count; i++)
        {
            if (lent && i == within)
                continue;
            using var from = x[i].AsRows();
            using var to = y.Neighbours(ends[i], x[i].size(1));
            Copy(from, to);
        }
        return y;
    }

    private Tensor WithRoom(Tensor like, long channels)
    {
        if (before + after == 0)
            return TensorMemory.EmptyRowsLike(like, channels);
        using var whole = TensorMemory.EmptyRowsLike(like, before + channels + after);
        return whole.Neighbours(before, channels);
    }

    /// <summary>Whether there are so many channels before and after the tensor's in its rows.</summary>
    private static bool HasRoom(Tensor tensor, long before, long after)
    {
        if (tensor.RowStride() is not { } stride)
            return false;
        long first = tensor.storage_offset() % stride;
        return first >= before && first + tensor.size(1) + after <= stride;
    }

    private static bool Fits(IReadOnlyList<Tensor> x) =>
        x.All(piece => piece.HasKernels() && piece.dtype == x[0].dtype && piece.dim() == x[0].dim());

    /// <summary>Where each input's channels begin, and where the last ones end.</summary>
    private static long[] Ends(IReadOnlyList<Tensor> x)
    {
        var ends = new long[x.Count + 1];
        for (int i = 0; i < x.Count; i++)
            ends[i + 1] = ends[i] + x[i].size(1);
        return ends;
    }

    private static void Copy(Tensor from, Tensor to) =>
        KernelLibrary.CopyRows(from.RowShapeOf(), from.Rows(), to.Rows());
}
