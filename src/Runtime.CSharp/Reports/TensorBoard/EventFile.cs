using System.Buffers.Binary;
using System.Numerics;
using CnnSpec.Data;
using CnnSpec.Runtime.Checkpoints;
using Google.Protobuf;
using Tensorboard;

namespace CnnSpec.Runtime.Reports.TensorBoard;

/// <summary>
/// A file of events as TensorBoard reads it: TFRecord frames, each the length, a checksum of the length, the message, and a
/// checksum of the message. https://www.tensorflow.org/tutorials/load_data/tfrecord
/// </summary>
internal sealed class EventFile(string run)
{
    /// <summary>TensorBoard takes any file with "tfevents" in its name.</summary>
    public const string Name = "events.out.tfevents.cnnspec";

    private const string Version = "brain.Event:2";

    private readonly string _path = Path.Combine(run, Name);

    /// <summary>Writes the file anew, in one step.</summary>
    /// <exception cref="EnvironmentError">The disk is full.</exception>
    public void Begin(IEnumerable<Event> events) =>
        AtomicFile.Write(
            _path,
            stream =>
            {
                foreach (var one in events.Prepend(new Event { FileVersion = Version }))
                    stream.Write(Frame(one));
            }
        );

    /// <exception cref="EnvironmentError">The disk is full.</exception>
    public void Append(IEnumerable<Event> events) =>
        AtomicFile.Append(
            _path,
            stream =>
            {
                foreach (var one in events)
                    stream.Write(Frame(one));
            }
        );

    private static byte[] Frame(Event one)
    {
        if (one.WallTime == 0)
            one.WallTime = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;
        byte[] message = one.ToByteArray();
        var frame = new byte[8 + 4 + message.Length + 4];
        BinaryPrimitives.WriteInt64LittleEndian(frame, message.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(8), MaskedChecksum(frame.AsSpan(0, 8)));
        message.CopyTo(frame, 12);
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(12 + message.Length), MaskedChecksum(message));
        return frame;
    }

    /// <summary>CRC-32C, turned by 15 bits and moved, so that a checksum of data with checksums in it stays one.</summary>
    internal static uint MaskedChecksum(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in data)
            crc = BitOperations.Crc32C(crc, value);
        return BitOperations.RotateRight(~crc, 15) + 0xa282ead8;
    }
}
