using NUnit.Framework;
using static CnnSpec.LibTorch.Tests.Kernels.Maps;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace CnnSpec.LibTorch.Tests.Kernels;

/// <summary>Our max pooling picks the values that libtorch's does, and sends each gradient to the same place.</summary>
[TestFixture]
public sealed class MaxPoolTests
{
    private static IEnumerable<TestCaseData> PoolCases() =>
        from channels in new[] { 1, 6, 12, 16, 35, 72 }
        from window in new (long[] Kernel, long[] Stride, long[] Padding, bool Ceil)[]
        {
            ([3, 3], [1, 1], [1, 1], false),
            ([3, 2], [2, 2], [1, 0], true),
            ([3, 3], [2, 2], [1, 1], false),
            ([2, 2], [2, 2], [0, 0], false),
            ([3, 2], [3, 2], [0, 0], false),
            ([2, 5], [3, 1], [1, 2], false),
            ([9, 11], [1, 1], [4, 5], false),
        }
        select new TestCaseData(channels, window.Kernel, window.Stride, window.Padding, window.Ceil);

    [TestCaseSource(nameof(PoolCases))]
    public void Max_pool_equals_libtorchs_forward_and_backward(
        int channels,
        long[] kernel,
        long[] stride,
        long[] padding,
        bool ceil
    )
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        foreach (var memory in new[] { Memory.ChannelsLast, Memory.Contiguous })
        foreach (bool relu in new[] { false, true })
        {
            // Few values, so that many are equal: of equal ones the first wins, as in libtorch.
            var values = randint(-4, 4, [2, channels, 9, 11]).to(type);
            var mine = Lay(values.clone(), memory).requires_grad_();
            var other = values.clone().requires_grad_();
            var actual = FusedKernels.MaxPool(mine, kernel, stride, padding, ceil, relu);
            var expected = F.max_pool2d(other, kernel, stride, padding, [1, 1], ceil);
            expected = relu ? expected.relu() : expected;
            var direction = randint(-3, 3, expected.shape).to(type);
            actual.backward([direction]);
            expected.backward([direction]);
            AssertClose(actual, expected, 0, $"value, {type}, {memory}, {relu}");
            AssertClose(mine.grad!, other.grad!, 0, $"gradient, {type}, {memory}, {relu}");
        }
    }

    /// <summary>An input that is read after its maxima are taken: its gradient is the sum of both.</summary>
    [TestCaseSource(nameof(PoolCases))]
    public void Max_pool_adds_the_gradient_of_later_readers(
        int channels,
        long[] kernel,
        long[] stride,
        long[] padding,
        bool ceil
    )
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        foreach (var memory in new[] { Memory.ChannelsLast, Memory.Contiguous, Memory.Slice })
        {
            // Whole numbers, so that every order of sums gives the same.
            var values = randint(-4, 4, [2, channels, 9, 11]).to(type);
            var mine = Lay(values.clone(), memory).requires_grad_();
            var other = values.clone().requires_grad_();
            var (pooled, later) = FusedKernels.MaxPoolFork(mine, kernel, stride, padding, ceil);
            var expected = F.max_pool2d(other, kernel, stride, padding, [1, 1], ceil);
            AssertClose(later, values, 0, $"input, {type}, {memory}");
            var direction = randint(-3, 3, expected.shape).to(type);
            var further = randint(-3, 3, values.shape).to(type);
            (pooled.mul(direction).sum() + later.mul(further).sum()).backward();
            (expected.mul(direction).sum() + other.mul(further).sum()).backward();
            AssertClose(pooled, expected, 0, $"value, {type}, {memory}");
            AssertClose(mine.grad!, other.grad!, 0, $"gradient, {type}, {memory}");
        }
    }

    /// <summary>A place in a window is one byte: of windows that have more, libtorch's is taken.</summary>
    [TestCase(15, 17)]
    [TestCase(16, 16)]
    [TestCase(16, 17)]
    public void Max_pool_of_large_windows_equals_libtorchs(int height, int width)
    {
        using var scope = NewDisposeScope();
        Seeded.Random();
        var values = randint(-9, 9, [1, 3, 19, 21]).to(ScalarType.Float32);
        values[0, 0] = tensor(-1f); // all that ReLU cuts off
        var mine = values.clone().requires_grad_();
        var other = values.clone().requires_grad_();
        var actual = FusedKernels.MaxPool(mine, [height, width], [1, 1], [0, 0], false, relu: true);
        var expected = F.max_pool2d(other, [height, width], [1, 1]).relu();
        actual.sum().backward();
        expected.sum().backward();
        AssertClose(actual, expected, 0, "value");
        AssertClose(mine.grad!, other.grad!, 0, "gradient");
    }

    [Test]
    public void Max_pool_passes_on_what_is_not_a_number()
    {
        using var scope = NewDisposeScope();
        var x = ones(1, 2, 4, 6);
        x[0, 1, 2, 3] = tensor(float.NaN);
        foreach (var sign in new[] { 1, -1 })
        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            var pooled = FusedKernels.MaxPool(x.mul(sign).to(type), [2, 2], [2, 2], [0, 0], false);
            Assert.That(pooled.isnan().sum().item<long>(), Is.EqualTo(1), $"{type}");
            Assert.That(float.IsNaN(pooled[0, 1, 1, 1].@float().item<float>()), $"{type}");
        }
    }
}
