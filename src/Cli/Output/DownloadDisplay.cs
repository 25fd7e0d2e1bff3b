using CnnSpec.Runtime.Data;

namespace CnnSpec.Cli.Output;

/// <summary>One line on standard error that follows a download; without a terminal, a line a stage.</summary>
public sealed class DownloadDisplay(string name) : IProgress<DownloadProgress>, IDisposable
{
    private readonly StatusLine _line = new();
    private readonly Lock _lock = new();
    private DownloadStage? _stage;

    public void Report(DownloadProgress progress)
    {
        lock (_lock)
        {
            string text = Describe(progress);
            if (progress.Stage == DownloadStage.SourceFailed)
                _line.Say(text);
            else if (Terminal.IsLive)
                _line.Show(text);
            else if (progress.Stage != _stage)
                _line.Say(text);
            _stage = progress.Stage;
        }
    }

    private string Describe(DownloadProgress progress) =>
        progress.Stage switch
        {
            DownloadStage.Waiting => $"{name}: waiting for another process that fetches it",
            DownloadStage.Downloading when progress.Total is { } total and > 0 =>
                $"{name}: downloading {progress.Item}: {Megabytes(progress.Bytes)} of {Megabytes(total)}",
            DownloadStage.Downloading => $"{name}: downloading {progress.Item}: {Megabytes(progress.Bytes)}",
            DownloadStage.SourceFailed => $"{name}: {progress.Item}",
            DownloadStage.Verifying => $"{name}: verifying {progress.Item}",
            DownloadStage.Preparing => $"{name}: preparing",
            _ => $"{name}: ready",
        };

    private static string Megabytes(long bytes) => $"{bytes / 1e6:0.0} MB";

    public void Dispose() => _line.Dispose();
}
