using CnnSpec.LibTorch;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>The same elements in another shape or order.</summary>
    public partial class Tensor
    {
        public Tensor view(params long[] shape) => Aten.view.Call(this, shape);

        public Tensor reshape(params long[] shape) => Aten.reshape.Call(this, shape);

        public Tensor expand(params long[] sizes) => Aten.expand.Call(this, sizes);

        public Tensor repeat(params long[] sizes) => Aten.repeat.Call(this, sizes);

        public Tensor permute(params long[] permutation) => Aten.permute.Call(this, permutation);

        public Tensor flip(params long[] dims) => Aten.flip.Call(this, dims);

        public Tensor flatten(long start_dim = 0, long end_dim = -1) => Aten.flatten.Call(this, start_dim, end_dim);

        public Tensor unflatten(long dim, params long[] sizes) => Aten.unflatten.Call(this, dim, sizes);

        public Tensor transpose(long dim0, long dim1) => Aten.transpose.Call(this, dim0, dim1);

        public Tensor t() => Aten.t.Call(this);

        public Tensor unsqueeze(long dim) => Aten.unsqueeze.Call(this, dim);

        public Tensor unsqueeze_(long dim) => Aten.unsqueeze_.Update(this, dim);

        public Tensor squeeze(long? dim = null) =>
            dim is { } only ? Aten.squeezeDim.Call(this, only) : Aten.squeeze.Call(this);

        public Tensor narrow(long dim, long start, long length) => Aten.narrow.Call(this, dim, start, length);

        public Tensor slice(long dim, long start, long finish, long step) =>
            Aten.slice.Call(this, dim, start, finish, step);

        public Tensor select(long dim, long index) => Aten.select.Call(this, dim, index);

        public Tensor index_select(long dim, Tensor index) => Aten.index_select.Call(this, dim, index);

        public Tensor gather(long dim, Tensor index) => Aten.gather.Call(this, dim, index);

        public Tensor scatter_(long dim, Tensor index, Tensor src) => Aten.scatter_.Update(this, dim, index, src);

        public Tensor index_add_(long dim, Tensor index, Tensor source, Scalar alpha) =>
            Aten.index_add_.Update(this, dim, index, source, alpha);

        public Tensor index_copy_(long dim, Tensor index, Tensor source) =>
            Aten.index_copy_.Update(this, dim, index, source);

        public Tensor[] split(long size, int dim = 0) => Aten.split.CallList(this, size, (long)dim);

        public Tensor[] split(long[] sizes, long dim = 0) => Aten.split_with_sizes.CallList(this, sizes, dim);

        public Tensor[] chunk(long chunks, long dim = 0) => Aten.chunk.CallList(this, chunks, dim);

        public Tensor[] unbind(long dimension = 0) => Aten.unbind.CallList(this, dimension);

        public Tensor unfold(long dimension, long size, long step) => Aten.unfold.Call(this, dimension, size, step);

        public Tensor roll(long[] shifts, long[] dims) => Aten.roll.Call(this, shifts, dims);

        public Tensor tril(long diagonal = 0) => Aten.tril.Call(this, diagonal);

        public Tensor triu(long diagonal = 0) => Aten.triu.Call(this, diagonal);

        /// <summary>
        /// Deals the channels of <c>[N,C,…]</c> out again, one of each group in turn. Zhang et al. 2017, arXiv:1707.01083.
        /// </summary>
        public Tensor channel_shuffle(long groups)
        {
            // libtorch's own operator has no derivative before 2.0.
            var sizes = shape;
            if (groups < 1 || sizes[1] % groups != 0)
                throw new ArgumentException($"{groups} groups do not divide {sizes[1]} channels.", nameof(groups));
            using var scope = NewDisposeScope();
            return reshape([sizes[0], groups, sizes[1] / groups, .. sizes[2..]])
                .transpose(1, 2)
                .reshape(sizes)
                .MoveToOuterDisposeScope();
        }

        public Tensor contiguous() => Aten.contiguous.Call(this);

        public Tensor expand_as(Tensor other) => Aten.expand_as.Call(this, other);

        public Tensor view_as(Tensor other) => Aten.view_as.Call(this, other);
    }

    public static Tensor flatten(Tensor input, long start_dim = 0, long end_dim = -1) =>
        input.flatten(start_dim, end_dim);

    public static Tensor unsqueeze(Tensor input, long dim) => input.unsqueeze(dim);

    public static Tensor squeeze(Tensor input, long? dim = null) => input.squeeze(dim);

    public static Tensor narrow(Tensor input, long dim, long start, long length) => input.narrow(dim, start, length);

    public static Tensor index_select(Tensor input, long dim, Tensor index) => input.index_select(dim, index);

    public static Tensor gather(Tensor input, long dim, Tensor index) => input.gather(dim, index);

    public static Tensor[] chunk(Tensor input, long chunks, long dim = 0) => input.chunk(chunks, dim);

    public static Tensor tril(Tensor input, long diagonal = 0) => input.tril(diagonal);

    public static Tensor reshape(Tensor input, params long[] shape) => input.reshape(shape);

    public static Tensor permute(Tensor input, params long[] permutation) => input.permute(permutation);

    public static Tensor flip(Tensor input, params long[] dims) => input.flip(dims);

    public static Tensor[] split(Tensor tensor, long[] split_size_or_sections, long dim = 0) =>
        tensor.split(split_size_or_sections, dim);

    public static Tensor[] unbind(Tensor input, long dim = 0) => input.unbind(dim);

    public static Tensor cat(IList<Tensor> tensors, long dim = 0) => Aten.cat.Call(tensors.ToArray(), dim);

    public static Tensor cat(ReadOnlySpan<Tensor> tensors, long dim = 0) => Aten.cat.Call(tensors.ToArray(), dim);

    public static Tensor cat(Tensor[] tensors, long dim = 0) => Aten.cat.Call(tensors, dim);

    public static Tensor stack(IEnumerable<Tensor> tensors, long dim = 0) => Aten.stack.Call(tensors.ToArray(), dim);
}
