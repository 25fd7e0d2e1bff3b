namespace CnnSpec.Cli.Output;

/// <summary>
/// Standard streams that may fail: a full disk, a terminal that went away, a closed descriptor. Progress that nobody can read
/// is no reason to end a training; a result that cannot be written is an error in words.
/// </summary>
internal static class SafeStreams
{
    /// <summary>Puts them in the place of the console's.</summary>
    public static void Install()
    {
        Console.SetError(Writer(Console.OpenStandardError(), _ => { }));
        Console.SetOut(
            Writer(
                Console.OpenStandardOutput(),
                e =>
                    throw new EnvironmentError(
                        $"standard output cannot be written: {e.Message.TrimEnd('.')}",
                        "free some space, or send it to a file on another disk",
                        e
                    )
            )
        );
    }

    private static StreamWriter Writer(Stream stream, Action<Exception> onFailure) =>
        new(new Guarded(stream, onFailure)) { AutoFlush = true };

    private sealed class Guarded(Stream stream, Action<Exception> onFailure) : Stream
    {
        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Write(byte[] buffer, int offset, int count) =>
            Try(() => stream.Write(buffer, offset, count));

        public override void Flush() => Try(stream.Flush);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private void Try(Action write)
        {
            try
            {
                write();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ObjectDisposedException)
            {
                onFailure(e);
            }
        }
    }
}
