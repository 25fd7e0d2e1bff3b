using System.Runtime.InteropServices;

namespace CnnSpec.LibTorch;

/// <summary>libtorch refused a call. The message is libtorch's own, complete and without its C++ stack.</summary>
public sealed class LibTorchException(string message) : ExternalException(message);
