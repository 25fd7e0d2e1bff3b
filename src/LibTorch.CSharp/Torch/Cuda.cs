using CnnSpec.LibTorch.Native;
using static CnnSpec.LibTorch.Native.NativeStatus;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>NVIDIA GPUs, where this libtorch was built for them.</summary>
    public static class cuda
    {
        public static bool is_available() => device_count() > 0;

        public static int device_count()
        {
            Check(NativeMethods.CudaDeviceCount(out var count));
            return count;
        }

        /// <summary>Waits until the device has done all that was asked of it.</summary>
        public static void synchronize(Device? device = null) =>
            Check(NativeMethods.CudaSynchronize(device?.index ?? -1));

        public static void manual_seed(long seed) => torch.manual_seed(seed);

        public static void manual_seed_all(long seed) => torch.manual_seed(seed);
    }

    public static bool cuda_is_available() => cuda.is_available();
}
