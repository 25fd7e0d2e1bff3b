using System.Net.Sockets;

namespace CnnSpec.Data;

/// <summary>Files over HTTPS for one installation. A host that does not answer is not asked again.</summary>
internal sealed class HttpDownload(HttpMessageHandler handler, TimeSpan? stallLimit = null) : IDisposable
{
    /// <summary>From the first byte sent to the headers received. A host that is there needs far less.</summary>
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(8);

    /// <summary>For the next <see cref="LeastBytes"/> of a body to arrive.</summary>
    private readonly TimeSpan _stallLimit = stallLimit ?? TimeSpan.FromSeconds(30);

    /// <summary>A host that sends a byte a second would keep a user for days.</summary>
    private const int LeastBytes = 1 << 15;

    private readonly HttpClient _client = Client(handler);
    private readonly HashSet<string> _silentHosts = [];

    /// <summary>What the system offers, and four seconds to connect.</summary>
    public static HttpMessageHandler SystemHandler() =>
        new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(4),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };

    /// <exception cref="SourceUnavailableException">The host is silent, refuses, or stops half way.</exception>
    public async Task Fetch(
        Uri address,
        string path,
        long maxBytes,
        IProgress<DownloadProgress>? progress,
        CancellationToken cancellation
    )
    {
        if (_silentHosts.Contains(address.Host))
            throw new SourceUnavailableException($"{address.Host} did not answer");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bool answered = false;
        try
        {
            limit.CancelAfter(AnswerLimit);
            using var response = await _client.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, limit.Token);
            answered = true;
            if (!response.IsSuccessStatusCode)
                throw new SourceUnavailableException($"{address} answered {(int)response.StatusCode}");
            long? total = response.Content.Headers.ContentLength;
            if (total > maxBytes)
                throw new SourceUnavailableException(
                    $"{address} offers {total:N0} bytes, at most {maxBytes:N0} expected"
                );
            await using var body = await response.Content.ReadAsStreamAsync(limit.Token);
            await using var file = new FileStream(path, FileMode.Create, FileAccess.Write);
            var buffer = new byte[1 << 17];
            long done = 0;
            long next = 0;
            while (true)
            {
                if (done >= next)
                {
                    limit.CancelAfter(_stallLimit);
                    next = done + LeastBytes;
                }
                int read = await body.ReadAsync(buffer, limit.Token);
                if (read == 0)
                    break;
                done += read;
                if (done > maxBytes)
                    throw new SourceUnavailableException($"{address} sends more than {maxBytes:N0} bytes");
                await file.WriteAsync(buffer.AsMemory(0, read), cancellation);
                progress?.Report(new DownloadProgress(DownloadStage.Downloading, address.Segments[^1], done, total));
            }
            if (total is { } promised && done != promised)
                throw new SourceUnavailableException($"{address} sent {done:N0} of {promised:N0} bytes");
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            _silentHosts.Add(address.Host);
            throw new SourceUnavailableException(
                $"{address.Host} {(answered ? "sends nothing, or too little" : "did not answer")}",
                e
            );
        }
        catch (HttpRequestException e)
        {
            _silentHosts.Add(address.Host);
            throw new SourceUnavailableException($"{address.Host} cannot be reached", e);
        }
        catch (IOException e) when (e is HttpIOException || e.InnerException is SocketException)
        {
            throw new SourceUnavailableException($"{address.Host} broke the connection", e);
        }
    }

    public void Dispose() => _client.Dispose();

    private static HttpClient Client(HttpMessageHandler handler)
    {
        var client = new HttpClient(handler, disposeHandler: false) { Timeout = Timeout.InfiniteTimeSpan };
        client.DefaultRequestHeaders.UserAgent.ParseAdd("cnnspec");
        return client;
    }
}

/// <summary>One place did not deliver. The installer goes on to the next and never lets this out.</summary>
internal sealed class SourceUnavailableException(string message, Exception? inner = null) : Exception(message, inner);
