using System.Runtime.CompilerServices;
using CnnSpec.LibTorch;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>One position between the brackets of an indexing: a number, a range, a mask, …</summary>
    public readonly struct TensorIndex
    {
        internal enum Form
        {
            None,
            Colon,
            Ellipsis,
            Single,
            Slice,
            Tensor,
        }

        internal readonly Form Kind;
        internal readonly long? Start;
        internal readonly long? Stop;
        internal readonly long? Step;
        internal readonly Tensor? Indices;

        private TensorIndex(
            Form kind,
            long? start = null,
            long? stop = null,
            long? step = null,
            Tensor? indices = null
        ) => (Kind, Start, Stop, Step, Indices) = (kind, start, stop, step, indices);

        /// <summary>A new dimension of size 1.</summary>
        public static readonly TensorIndex None = new(Form.None);

        public static readonly TensorIndex Null = new(Form.None);

        /// <summary>As many whole dimensions as are left over.</summary>
        public static readonly TensorIndex Ellipsis = new(Form.Ellipsis);

        /// <summary>A whole dimension.</summary>
        public static readonly TensorIndex Colon = new(Form.Colon);

        public static TensorIndex Slice(long? start = null, long? stop = null, long? step = null) =>
            new(Form.Slice, start, stop, step);

        public static TensorIndex Slice((int? start, int? end) range) => Slice(range.start, range.end);

        public static TensorIndex Slice(Range range) =>
            Slice(Position(range.Start), range.End is { IsFromEnd: true, Value: 0 } ? null : Position(range.End));

        public static TensorIndex Bool(bool value) => Tensor(torch.tensor(value));

        public static TensorIndex Single(long? index) => new(Form.Single, index);

        public static TensorIndex Tensor(Tensor tensor) => new(Form.Tensor, indices: tensor);

        public static implicit operator TensorIndex(long value) => Single(value);

        public static implicit operator TensorIndex(Index index) => Single(Position(index));

        public static implicit operator TensorIndex(Range range) => Slice(range);

        public static implicit operator TensorIndex((int? start, int? end) range) => Slice(range);

        private static long Position(Index index) => index.IsFromEnd ? -(long)index.Value : index.Value;
    }

    public partial class Tensor
    {
        /// <summary>A view, or with a tensor among the indices a copy, of the elements at these positions.</summary>
        [IndexerName("TensorItems")]
        public Tensor this[params TensorIndex[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        [IndexerName("TensorItems")]
        public Tensor this[params Tensor[] indices]
        {
            get => index(indices);
            set => index_put_(value, indices);
        }

        public Tensor index(params TensorIndex[] indices)
        {
            var (view, tensors) = View(indices);
            if (tensors.Length == 0)
                return view;
            var result = Aten.index.Call(view, tensors);
            if (!ReferenceEquals(view, this))
                view.Dispose();
            return result;
        }

        public Tensor index(params Tensor[] indices) => Aten.index.Call(this, indices);

        public Tensor index_put_(Tensor value, params TensorIndex[] indices)
        {
            var (view, tensors) = View(indices);
            if (tensors.Length == 0)
                view.copy_(value);
            else
                Aten.index_put_.Run(view, tensors, value);
            if (!ReferenceEquals(view, this))
                view.Dispose();
            return this;
        }

        public Tensor index_put_(Tensor value, params Tensor[] indices) => Aten.index_put_.Update(this, indices, value);

        // The part of an indexing that only moves around in memory, and the tensors that are left to gather with.
        private (Tensor view, Tensor?[] tensors) View(TensorIndex[] indices)
        {
            var consumed = indices.Count(i => i.Kind is not (TensorIndex.Form.None or TensorIndex.Form.Ellipsis));
            var view = this;
            var tensors = new List<Tensor?>();
            long d = 0;
            foreach (var index in indices)
            {
                switch (index.Kind)
                {
                    case TensorIndex.Form.None:
                        Replace(view.unsqueeze(d++));
                        break;
                    case TensorIndex.Form.Colon:
                        d++;
                        break;
                    case TensorIndex.Form.Ellipsis:
                        d += dim() - consumed;
                        break;
                    case TensorIndex.Form.Single:
                        Replace(view.select(d, index.Start ?? 0));
                        break;
                    case TensorIndex.Form.Slice:
                        Replace(Aten.slice.Call(view, d++, index.Start, index.Stop, index.Step ?? 1));
                        break;
                    case TensorIndex.Form.Tensor:
                        while (tensors.Count < d)
                            tensors.Add(null);
                        tensors.Add(index.Indices);
                        // A mask stands for as many dimensions as it has.
                        d += index.Indices!.dtype == ScalarType.Bool ? index.Indices.dim() : 1;
                        break;
                }
            }
            // One alias at least, so that the result is always the caller's to dispose.
            return (ReferenceEquals(view, this) && tensors.Count == 0 ? alias() : view, [.. tensors]);

            void Replace(Tensor next)
            {
                if (!ReferenceEquals(view, this))
                    view.Dispose();
                view = next;
            }
        }
    }
}
