using TorchSharp;
using static TorchSharp.torch;

namespace CnnSpec.Runtime.Tests.Torch;

/// <summary>Convolutions are right on virtual machines that hide the processor's caches, where libtorch's are not.</summary>
public class HiddenCachesTests
{
    [Test]
    public void Sizes_of_one_byte_are_found_among_others()
    {
        uint[] sizes = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
        uint[] sharing = [1, 2, 2, 0, 0, 0, 0, 0, 0, 0];
        uint[] three = [3];
        Assert.Multiple(() =>
        {
            Assert.That(HiddenCaches.Find([7, 1, 1, .. sizes, .. sharing, .. three, 5]), Is.EqualTo(3));
            Assert.That(HiddenCaches.Find([.. sizes, 9, .. sizes, .. sharing, .. three]), Is.EqualTo(11));
            Assert.That(HiddenCaches.Find([.. sizes, .. sharing, 2]), Is.EqualTo(-1), "other levels");
            Assert.That(HiddenCaches.Find([32768, 1, 1, .. sizes[3..], .. sharing, .. three]), Is.EqualTo(-1), "known");
            Assert.That(HiddenCaches.Find([.. sizes, .. sharing]), Is.EqualTo(-1), "cut off");
            Assert.That(HiddenCaches.Find([]), Is.EqualTo(-1));
        });
    }

    /// <summary>The small batches and maps whose gradients were wrong on such a machine.</summary>
    [TestCase(2, 2, 4, 4, 3, 3, 0)]
    [TestCase(4, 6, 9, 7, 12, 3, 1)]
    [TestCase(8, 2, 16, 4, 6, 1, 0)]
    [TestCase(16, 1, 5, 9, 13, 5, 1)]
    public void Convolutions_of_small_maps_are_those_of_double_precision(
        int images,
        int channels,
        int height,
        int width,
        int filters,
        int size,
        int padding
    )
    {
        using var scope = NewDisposeScope();
        random.manual_seed(1);
        var x = randn(images, channels, height, width);
        var weight = randn(filters, channels, size, size);
        var exact = Gradients(ScalarType.Float64);
        var found = Gradients(ScalarType.Float32);
        for (int i = 0; i < exact.Length; i++)
            Assert.That((found[i] - exact[i]).abs().max().item<double>(), Is.LessThan(1e-3));

        Tensor[] Gradients(ScalarType type)
        {
            var input = x.to(type, copy: true).requires_grad_();
            var filter = weight.to(type, copy: true).requires_grad_();
            var y = nn.functional.conv2d(input, filter, padding: [padding, padding]);
            y.square().sum().mul(0.01).backward();
            return [y.detach(), input.grad!, filter.grad!];
        }
    }
}
