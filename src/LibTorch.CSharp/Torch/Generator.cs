using CnnSpec.LibTorch.Native;
using static CnnSpec.LibTorch.Native.NativeStatus;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>A source of random numbers on one device.</summary>
    public class Generator : IDisposable
    {
        private nint _handle;

        private Generator(nint handle) => _handle = handle;

        public Generator(ulong seed = 0, Device? device = null)
        {
            device ??= CPU;
            Check(NativeMethods.GeneratorNew(seed, (int)device.type, device.index, out _handle));
        }

        ~Generator() => Dispose(false);

        /// <summary>A further handle to the CPU's own generator, which factories and dropout draw from.</summary>
        public static Generator Default => DefaultOf(CPU);

        internal static Generator DefaultOf(Device device)
        {
            Check(NativeMethods.GeneratorDefault((int)device.type, device.index, out var handle));
            return new Generator(handle);
        }

        public IntPtr Handle => _handle != 0 ? _handle : throw new ObjectDisposedException(nameof(Generator));

        public Device device
        {
            get
            {
                Check(NativeMethods.GeneratorDevice(Handle, out var type, out var index));
                return new Device((DeviceType)type, index);
            }
        }

        /// <summary>The seed that the current numbers come from.</summary>
        public long initial_seed()
        {
            Check(NativeMethods.GeneratorSeed(Handle, out var seed));
            return (long)seed;
        }

        public Generator manual_seed(long seed)
        {
            Check(NativeMethods.GeneratorSetSeed(Handle, (ulong)seed));
            return this;
        }

        /// <summary>Seeds from the machine's entropy and answers with the seed.</summary>
        public long seed()
        {
            Check(NativeMethods.GeneratorRandomSeed(Handle, out var seed));
            return (long)seed;
        }

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            var handle = Interlocked.Exchange(ref _handle, 0);
            if (handle != 0)
                Check(NativeMethods.GeneratorFree(handle));
        }
    }

    /// <summary>Seeds the default generator of every device.</summary>
    public static Generator manual_seed(long seed)
    {
        Check(NativeMethods.ManualSeed((ulong)seed));
        return Generator.Default;
    }

    public static long initial_seed() => random.initial_seed();

    public static long seed() => random.seed();

    /// <summary>The default generator.</summary>
    public static class random
    {
        public static Generator manual_seed(long seed) => torch.manual_seed(seed);

        public static long initial_seed()
        {
            using var generator = Generator.Default;
            return generator.initial_seed();
        }

        public static long seed()
        {
            using var generator = Generator.Default;
            return generator.seed();
        }
    }
}
