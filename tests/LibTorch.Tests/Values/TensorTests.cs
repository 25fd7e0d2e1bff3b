using NUnit.Framework;
using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.LibTorch.Tests.Values;

/// <summary>Getting numbers in and out, and at the right ones.</summary>
[TestFixture]
public sealed class TensorTests
{
    private DisposeScope _scope = null!;

    [SetUp]
    public void Open() => _scope = NewDisposeScope();

    [TearDown]
    public void Close() => _scope.Dispose();

    [FsCheck.NUnit.Property]
    public bool Floats_come_back_as_they_went_in(float[] values) =>
        tensor(values).data<float>().ToArray().SequenceEqual(values);

    [FsCheck.NUnit.Property]
    public bool Longs_come_back_as_they_went_in(long[] values) =>
        tensor(values).data<long>().ToArray().SequenceEqual(values);

    [Test]
    public void Every_element_type_round_trips()
    {
        Assert.That(tensor(new byte[] { 1, 255 }).data<byte>().ToArray(), Is.EqualTo(new byte[] { 1, 255 }));
        Assert.That(tensor(new sbyte[] { -1 }).data<sbyte>().ToArray(), Is.EqualTo(new sbyte[] { -1 }));
        Assert.That(tensor(new short[] { -300 }).data<short>().ToArray(), Is.EqualTo(new short[] { -300 }));
        Assert.That(tensor(new[] { 70_000 }).data<int>().ToArray(), Is.EqualTo(new[] { 70_000 }));
        Assert.That(tensor(new[] { true, false }).data<bool>().ToArray(), Is.EqualTo(new[] { true, false }));
        Assert.That(tensor(new[] { (Half)1.5 }).data<Half>().ToArray(), Is.EqualTo(new[] { (Half)1.5 }));
        Assert.That(tensor(1.5).to(bfloat16).item<float>(), Is.EqualTo(1.5f));
        Assert.That(tensor(new float[] { 1 }, [1], dtype: int64).dtype, Is.EqualTo(ScalarType.Int64));
    }

    [Test]
    public void An_array_of_several_dimensions_keeps_its_shape()
    {
        var array = new[,]
        {
            { 1f, 2f, 3f },
            { 4f, 5f, 6f },
        };
        var made = from_array(array);
        Assert.That(made.shape, Is.EqualTo(new long[] { 2, 3 }));
        Assert.That(
            made.t().data<float>().ToNDArray(),
            Is.EqualTo(
                new[,]
                {
                    { 1f, 4f },
                    { 2f, 5f },
                    { 3f, 6f },
                }
            )
        );
    }

    [Test]
    public void Elements_of_a_strided_view_are_numbered_by_rows()
    {
        var view = arange(12).reshape(3, 4)[.., TensorIndex.Slice(0, null, 2)].t();
        Assert.That(view.data<long>().ToArray(), Is.EqualTo(new long[] { 0, 4, 8, 2, 6, 10 }));
        Assert.That(view.data<long>()[1, 2], Is.EqualTo(10));
        Assert.That(() => view.bytes.Length, Throws.InstanceOf<NotSupportedException>());
    }

    [Test]
    public void Reading_as_another_type_is_refused()
    {
        Assert.That(() => ones(2).data<double>(), Throws.ArgumentException);
        Assert.That(() => ones(2).item<float>(), Throws.ArgumentException);
    }

    [Test]
    public void Indexing_reads_and_writes()
    {
        var x = arange(24).reshape(2, 3, 4);
        Assert.That(x[1, 2, 3].item<long>(), Is.EqualTo(23));
        Assert.That(x[^1, .., 0].data<long>().ToArray(), Is.EqualTo(new long[] { 12, 16, 20 }));
        Assert.That(x[TensorIndex.Ellipsis, 1..3].shape, Is.EqualTo(new long[] { 2, 3, 2 }));
        Assert.That(x[TensorIndex.None, 0].shape, Is.EqualTo(new long[] { 1, 3, 4 }));
        Assert.That(x[x > 21].data<long>().ToArray(), Is.EqualTo(new long[] { 22, 23 }));
        var rows = TensorIndex.Tensor(tensor(new long[] { 2, 0 }));
        Assert.That(x[0, rows, 1].data<long>().ToArray(), Is.EqualTo(new long[] { 9, 1 }));
        x[0, 1] = zeros(4, int64);
        Assert.That(x[0].sum().item<long>(), Is.EqualTo(66 - 22));
    }

    [Test]
    public void A_conversion_that_changes_nothing_still_gives_a_handle_of_its_own()
    {
        var x = ones(2);
        x.to(float32).Dispose();
        x.cpu().Dispose();
        Assert.That(x.sum().item<float>(), Is.EqualTo(2));
    }

    [Test]
    public void Operators_take_numbers_on_both_sides()
    {
        var x = tensor(new[] { 2.0 });
        Assert.That((10 - x * 3 / 4 + 1).item<double>(), Is.EqualTo(9.5));
        Assert.That((1 / x).item<double>(), Is.EqualTo(0.5));
        Assert.That((x > 1).item<bool>());
        Assert.That((tensor(7L) / tensor(2L)).item<float>(), Is.EqualTo(3.5f));
        Assert.That(tensor(-7L).div(2, RoundingMode.floor).item<long>(), Is.EqualTo(-4));
    }

    [Test]
    public void Factories_follow_their_arguments()
    {
        Assert.That(zeros(2, 3).shape, Is.EqualTo(new long[] { 2, 3 }));
        Assert.That(full([2], 7).dtype, Is.EqualTo(ScalarType.Int64));
        Assert.That(arange(0, 1, 0.25).data<float>().ToArray(), Is.EqualTo(new[] { 0, 0.25f, 0.5f, 0.75f }));
        Assert.That(randint(3, 5, [100]).min().item<long>(), Is.EqualTo(3));
        Assert.That(eye(2, 3).sum().item<float>(), Is.EqualTo(2));
        Assert.That(rand(2, requires_grad: true).requires_grad);
        Assert.That(randperm(5).sum().item<long>(), Is.EqualTo(10));
    }
}
