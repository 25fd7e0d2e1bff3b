namespace CnnSpec.Cli;

/// <summary>Ctrl-C once asks the work at hand to end well; a second time ends the program.</summary>
public sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();

    public Interruption() => Console.CancelKeyPress += OnKey;

    public CancellationToken Token => _source.Token;

    private void OnKey(object? sender, ConsoleCancelEventArgs key)
    {
        if (_source.IsCancellationRequested)
            return;
        key.Cancel = true;
        _source.Cancel();
    }

    public void Dispose()
    {
        Console.CancelKeyPress -= OnKey;
        _source.Dispose();
    }
}
