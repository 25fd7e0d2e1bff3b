using CnnSpec.Data;
using Spectre.Console;

namespace CnnSpec.Cli.Output;

/// <summary>Follows a download on standard error: a bar on a terminal, else a line a stage.</summary>
public static class DownloadDisplay
{
    public static T Follow<T>(string name, Func<IProgress<DownloadProgress>, T> work)
    {
        if (!Terminal.IsLive)
            return work(new Lines(name));
        return Terminal
            .Errors.Progress()
            .AutoClear(true)
            .Columns(
                new TaskDescriptionColumn(),
                new ProgressBarColumn(),
                new DownloadedColumn(),
                new TransferSpeedColumn(),
                new RemainingTimeColumn()
            )
            .Start(context => work(new Bar(name, context.AddTask(Markup.Escape(name)))));
    }

    private static string Describe(string name, DownloadProgress progress) =>
        progress.Stage switch
        {
            DownloadStage.Waiting => $"{name}: waiting for another process that fetches it",
            DownloadStage.Downloading => $"{name}: downloading {progress.Item}",
            DownloadStage.SourceFailed => $"{name}: {progress.Item}",
            DownloadStage.Verifying => $"{name}: verifying {progress.Item}",
            DownloadStage.Preparing => $"{name}: preparing",
            _ => $"{name}: ready",
        };

    private sealed class Bar(string name, ProgressTask task) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress progress)
        {
            string text = Describe(name, progress);
            if (progress.Stage == DownloadStage.SourceFailed)
                Terminal.Note(text);
            task.Description = Markup.Escape(text);
            task.IsIndeterminate = progress.Total is null;
            task.MaxValue = progress.Total ?? 1;
            task.Value = progress.Total is null ? 0 : progress.Bytes;
        }
    }

    private sealed class Lines(string name) : IProgress<DownloadProgress>
    {
        private readonly Lock _lock = new();
        private string? _last;

        public void Report(DownloadProgress progress)
        {
            string text = Describe(name, progress);
            lock (_lock)
            {
                if (text != _last)
                    Terminal.Note(text);
                _last = text;
            }
        }
    }
}
