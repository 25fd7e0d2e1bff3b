using CnnSpec.LibTorch;
using NUnit.Framework;
using TorchSharp;

namespace CnnSpec.LibTorch.Tests.Api;

/// <summary>On a machine without a GPU whoever asks for a captured graph is told, and nothing is left half captured.</summary>
public class CudaGraphTests
{
    [Test]
    public void Without_a_gpu_capturing_is_refused_in_words_and_the_work_is_not_begun()
    {
        if (torch.cuda.is_available())
            Assert.Ignore("this machine has a GPU");
        bool begun = false;
        var refused = Assert.Throws<LibTorchException>(() => CudaGraph.Capture(() => begun = true))!;
        Assert.That(begun, Is.False);
        if (!CudaGraph.IsSupported)
            Assert.That(refused.Message, Does.Contain("built without CUDA's headers"));
        Assert.Throws<LibTorchException>(() => CudaGraph.LeaveDefaultStream(torch.CUDA));
    }
}
