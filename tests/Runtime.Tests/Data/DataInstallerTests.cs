using System.Net;
using CnnSpec.Data;
using NUnit.Framework;

namespace CnnSpec.Runtime.Tests.Data;

public sealed class DataInstallerTests
{
    private static readonly Uri Server = new("https://data.example/");
    private static readonly Uri Mirror = new("https://mirror.example/");
    private static readonly byte[] Payload = TestImages.Pattern(4 * 12);
    private TestFolder _folder = null!;
    private readonly List<Uri> _asked = [];

    [SetUp]
    public void MakeFolder()
    {
        _folder = new TestFolder();
        _asked.Clear();
    }

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public async Task Prepares_verifies_and_is_there_the_next_time()
    {
        var first = await Get([Http()], Serve(Payload));
        Assert.That(first.WasThere, Is.False);
        Assert.That(File.ReadAllBytes(Path.Combine(first.Folder!, "pixels")), Is.EqualTo(Payload));
        var second = await Get([Http()], _ => throw new HttpRequestException("must not be asked"));
        Assert.That(second.WasThere, Is.True);
        AssertNothingIsLeft();
    }

    [Test]
    public async Task A_mirror_takes_over_and_a_silent_host_is_asked_once()
    {
        var two = new RemoteFile("labels", Sha(Payload), 1000);
        var origin = Http([Server, Mirror]) with { Files = [File1(Payload), two] };
        await Get(
            [origin],
            request =>
                request.RequestUri!.Host == Server.Host
                    ? throw new HttpRequestException("no route")
                    : new HttpResponseMessage { Content = new ByteArrayContent(Payload) }
        );
        Assert.That(_asked.Count(u => u.Host == Server.Host), Is.EqualTo(1));
        Assert.That(_asked.Count(u => u.Host == Mirror.Host), Is.EqualTo(2));
    }

    [Test]
    public async Task A_mirror_with_other_bytes_is_passed_over()
    {
        byte[] wrong = [.. Payload.Reverse()];
        var done = await Get(
            [Http([Server, Mirror])],
            request => new HttpResponseMessage
            {
                Content = new ByteArrayContent(request.RequestUri!.Host == Server.Host ? wrong : Payload),
            }
        );
        Assert.That(File.ReadAllBytes(Path.Combine(done.Folder!, "pixels")), Is.EqualTo(Payload));
        Assert.That(_asked.Select(address => address.Host), Is.EqualTo(new[] { Server.Host, Mirror.Host }));
    }

    [Test, CancelAfter(20_000)]
    public void A_host_that_sends_a_byte_now_and_then_is_given_up(CancellationToken stop)
    {
        using var handler = new Fake(
            _ => new HttpResponseMessage { Content = new StreamContent(new Trickle()) },
            _asked
        );
        using var download = new HttpDownload(handler, TimeSpan.FromSeconds(0.5));
        Assert.That(
            () => download.Fetch(Server, _folder.File("slow"), 1_000_000, null, stop),
            Throws.TypeOf<SourceUnavailableException>().With.Message.Contains("sends nothing, or too little")
        );
    }

    /// <summary>A byte every twentieth of a second, without end.</summary>
    private sealed class Trickle : MemoryStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken stop = default)
        {
            await Task.Delay(50, stop);
            buffer.Span[0] = 1;
            return 1;
        }
    }

    [Test]
    public void Every_place_that_was_tried_is_named()
    {
        var error = Assert.ThrowsAsync<EnvironmentError>(() =>
            Get([Http(), Http([Mirror])], _ => new HttpResponseMessage(HttpStatusCode.NotFound))
        )!;
        Assert.That(error.Message, Does.Contain("data.example").And.Contain("mirror.example").And.Contain("404"));
        AssertNothingIsLeft();
    }

    [Test]
    public void A_wrong_checksum_names_the_file_and_both_sums()
    {
        byte[] other = TestImages.Random(48, 8);
        var error = Assert.ThrowsAsync<EnvironmentError>(() => Get([Http()], Serve(other)))!;
        Assert.That(
            error.Message,
            Does.Contain("pixels: wrong SHA-256").And.Contain(Sha(Payload).Hex).And.Contain(Sha(other).Hex)
        );
        AssertNothingIsLeft();
    }

    [Test]
    public void More_bytes_than_expected_are_refused() =>
        Assert.That(
            async () => await Get([Http()], Serve(new byte[2000])),
            Throws.TypeOf<EnvironmentError>().With.Message.Contains("at most 1,000 expected")
        );

    [Test]
    public void A_download_that_ends_early_is_noticed()
    {
        var error = Assert.ThrowsAsync<EnvironmentError>(() =>
            Get(
                [Http()],
                _ =>
                {
                    var content = new StreamContent(new MemoryStream(Payload));
                    content.Headers.ContentLength = 100;
                    return new HttpResponseMessage { Content = content };
                }
            )
        )!;
        Assert.That(error.Message, Does.Contain("sent 48 of 100 bytes"));
    }

    [Test, CancelAfter(20_000)]
    public void A_cancelled_download_leaves_nothing(CancellationToken limit)
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(limit);
        var progress = new Reporter(p =>
        {
            if (p.Stage == DownloadStage.Downloading)
                cancel.Cancel();
        });
        Assert.That(
            async () => await Get([Http()], Serve(Payload), progress, cancel.Token),
            Throws.InstanceOf<OperationCanceledException>()
        );
        Assert.That(Directory.Exists(_folder.File("made-up")), Is.False);
        AssertNothingIsLeft();
    }

    /// <summary>/dev/full answers every write as a full disk does.</summary>
    [Test, Platform("Linux")]
    public void A_full_disk_says_where_and_how_much()
    {
        var origin = Http() with
        {
            Prepare = (_, _) =>
            {
                using var full = new FileStream("/dev/full", FileMode.Open, FileAccess.Write);
                full.Write(Payload);
                full.Flush();
            },
        };
        var error = Assert.ThrowsAsync<EnvironmentError>(() => Get([origin], Serve(Payload)))!;
        Assert.That(error.Message, Does.Contain(_folder.Path).And.Contain("disk is full").And.Contain("1,234 bytes"));
        AssertNothingIsLeft();
    }

    [Test]
    public void Too_little_room_is_found_before_the_download()
    {
        var recipe = Installable([Http()]) with { BytesNeeded = long.MaxValue };
        var installer = new DataInstaller(
            new DataCache(_folder.Path),
            [recipe],
            () => new Fake(Serve(Payload), _asked)
        );
        Assert.That(
            async () => await installer.Get("made-up"),
            Throws.TypeOf<EnvironmentError>().With.Message.Contains("disk is full")
        );
        Assert.That(_asked, Is.Empty);
    }

    [Test]
    public async Task What_a_crash_left_is_removed()
    {
        _folder.Write(".partial-made-up-1/fetched-0/half", Payload);
        await Get([Http()], Serve(Payload));
        AssertNothingIsLeft();
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task A_damaged_data_set_is_found_and_replaced(bool truncated)
    {
        var installed = await Get([Http()], Serve(Payload));
        string path = Path.Combine(installed.Folder!, "pixels");
        byte[] damaged = truncated ? Payload[..^1] : [.. Payload[..^1], (byte)(Payload[^1] ^ 1)];
        await File.WriteAllBytesAsync(path, damaged);
        var manifest = Manifest.Read(installed.Folder!, "made-up");
        var error = Assert.Throws<InputError>(() => manifest.Verify(installed.Folder!))!;
        Assert.That(error.Message, Does.Contain(path));
        Assert.That(error.Help, Is.EqualTo("run: cnnspec data get made-up"));
        if (truncated)
            Assert.That(() => manifest.CheckLengths(installed.Folder!), Throws.TypeOf<InputError>());
        var again = await Get([Http()], Serve(Payload));
        Assert.That(again.WasThere, Is.False);
        Assert.That(await File.ReadAllBytesAsync(path), Is.EqualTo(Payload));
        AssertNothingIsLeft();
    }

    [Test, CancelAfter(20_000)]
    public async Task Two_at_once_prepare_it_once()
    {
        var both = await Task.WhenAll(Get([Http()], Slowly(Serve(Payload))), Get([Http()], Slowly(Serve(Payload))));
        Assert.That(both.Select(b => b.WasThere), Is.EquivalentTo(new[] { true, false }));
        Assert.That(_asked, Has.Count.EqualTo(1));
    }

    [Test]
    public void A_file_in_place_of_the_cache_folder_is_an_environment_error()
    {
        string file = _folder.Write("file", [1]);
        var installer = new DataInstaller(
            new DataCache(file),
            [Installable([Http()])],
            () => new Fake(Serve(Payload), _asked)
        );
        Assert.That(
            async () => await installer.Get("made-up"),
            Throws.TypeOf<EnvironmentError>().With.Message.Contains(file)
        );
    }

    [Test]
    public void An_unknown_name_lists_the_known_ones()
    {
        var error = Assert.ThrowsAsync<InputError>(() => new DataInstaller(new DataCache(_folder.Path)).Get("minst"))!;
        Assert.That(error.Message, Does.Contain("minst"));
        Assert.That(error.Help, Does.Contain("mnist, fashion-mnist, cifar10, shapes"));
    }

    private Task<InstalledData> Get(
        IReadOnlyList<Origin> origins,
        Func<HttpRequestMessage, HttpResponseMessage> answer,
        IProgress<DownloadProgress>? progress = null,
        CancellationToken cancellation = default
    ) =>
        new DataInstaller(new DataCache(_folder.Path), [Installable(origins)], () => new Fake(answer, _asked)).Get(
            "made-up",
            progress,
            cancellation
        );

    private void AssertNothingIsLeft() =>
        Assert.That(Directory.GetDirectories(_folder.Path, ".partial*"), Is.Empty, "a partial folder is left");

    private static Installable Installable(IReadOnlyList<Origin> origins)
    {
        var info = new DataSetInfo("made-up", "", ["a", "b"], new ImageShape(1, 3, 4), 4, 4, "", "");
        return new Installable(info, origins, 1234, Load);
    }

    private static (IImageSource, IImageSource) Load(string folder, DataSetInfo info)
    {
        byte[] pixels = File.ReadAllBytes(Path.Combine(folder, "pixels"));
        var images = new MemoryImages(pixels, [0, 1, 0, 1], info.Shape, info.ClassNames);
        return (images, images);
    }

    private static HttpOrigin Http(IReadOnlyList<Uri>? mirrors = null) =>
        new("the test server", mirrors ?? [Server], [File1(Payload)])
        {
            Prepare = (folders, _) =>
                File.Copy(Path.Combine(folders.Fetched, "pixels"), Path.Combine(folders.Prepared, "pixels")),
        };

    private static RemoteFile File1(byte[] content) => new("pixels", Sha(content), 1000);

    private static Checksum Sha(byte[] content) =>
        Checksum.Sha256(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content)));

    private static Func<HttpRequestMessage, HttpResponseMessage> Serve(byte[] content) =>
        _ => new HttpResponseMessage { Content = new ByteArrayContent(content) };

    private static Func<HttpRequestMessage, HttpResponseMessage> Slowly(
        Func<HttpRequestMessage, HttpResponseMessage> answer
    ) =>
        request =>
        {
            Thread.Sleep(300);
            return answer(request);
        };

    private sealed class Fake(Func<HttpRequestMessage, HttpResponseMessage> answer, List<Uri> asked)
        : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken token)
        {
            lock (asked)
                asked.Add(request.RequestUri!);
            return Task.Run(() => answer(request), token);
        }
    }

    private sealed class Reporter(Action<DownloadProgress> report) : IProgress<DownloadProgress>
    {
        public void Report(DownloadProgress value) => report(value);
    }
}
