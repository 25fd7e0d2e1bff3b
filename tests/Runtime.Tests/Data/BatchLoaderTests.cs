using CnnSpec.Data;
using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;
using Interval = CnnSpec.Data.Interval;

namespace CnnSpec.Runtime.Tests.Data;

public sealed class BatchLoaderTests
{
    private static readonly ImageShape Shape = new(3, 5, 9);

    [FsCheck.NUnit.Property(MaxTest = 40)]
    public Property Batches_do_not_depend_on_the_threads(PositiveInt count, PositiveInt batch, ulong seed, byte epoch)
    {
        var source = TestImages.Source(count.Get % 200 + 1, Shape);
        var options = Options(batch.Get % 32 + 1) with { Seed = seed };
        var one = Contents(new BatchLoader(source, options with { Workers = 1, Prefetch = 1 }).Epoch(epoch));
        var many = Contents(new BatchLoader(source, options with { Workers = 5, Prefetch = 7 }).Epoch(epoch));
        return one.SequenceEqual(many).ToProperty();
    }

    /// <summary>Everything that draws random numbers or changes sizes, by itself and one after the other.</summary>
    private static IEnumerable<TestCaseData> Augmentations()
    {
        var statistics = new ChannelStatistics([0.1f, 0.2f, 0.3f], [0.5f, 0.6f, 0.7f]);
        ISampleTransform[] steps =
        [
            new RandomHorizontalFlip(0.5),
            new RandomVerticalFlip(0.5),
            new RandomCrop(Shape.Height, Shape.Width, 2, PadMode.Reflect),
            new Pad(1, PadMode.Zero),
            Resize.To(8, 6),
            new RandomResizedCrop(8, 6, new Interval(0.3, 1), new Interval(0.7, 1.4)),
            new RandomRotation(25),
            new ColorJitter(0.4, 0.4, 0.4, 0.1),
            new Cutout(3, statistics),
            new RandomErasing(0.7, statistics),
            new RandAugment(2, 9),
        ];
        foreach (var step in steps)
            yield return new TestCaseData(new[] { step }, null).SetArgDisplayNames(step.GetType().Name);
        yield return new TestCaseData(steps, new RandomBatchChoice([new Mixup(0.4), new CutMix(1)])).SetArgDisplayNames(
            "all",
            "mixing"
        );
    }

    [TestCaseSource(nameof(Augmentations))]
    public void Augmented_batches_do_not_depend_on_the_threads(ISampleTransform[] steps, IBatchTransform? mixing)
    {
        var source = TestImages.Source(90, Shape);
        var options = Options(11) with { Seed = 5, Transforms = steps, BatchTransform = mixing };
        var one = Contents(new BatchLoader(source, options with { Workers = 1, Prefetch = 1 }).Epoch(2));
        for (int attempt = 0; attempt < 5; attempt++)
            Assert.That(
                Contents(new BatchLoader(source, options with { Workers = 6, Prefetch = 9 }).Epoch(2)),
                Is.EqualTo(one)
            );
        Assert.That(
            Contents(new BatchLoader(source, options with { Seed = 6 }).Epoch(2)),
            Is.Not.EqualTo(one),
            "the seed decides"
        );
    }

    [FsCheck.NUnit.Property(MaxTest = 40)]
    public Property A_start_in_mid_epoch_gives_the_batches_that_are_left(byte start, ulong seed)
    {
        var source = TestImages.Source(50, Shape);
        var loader = new BatchLoader(source, Options(7) with { Seed = seed });
        int first = start % (loader.BatchCount + 1);
        var whole = Contents(loader.Epoch(3));
        var rest = Contents(loader.Epoch(3, first));
        return rest.SequenceEqual(whole.Skip(first)).ToProperty();
    }

    [Test]
    public void An_epoch_has_every_image_once([Values] bool dropLast)
    {
        var loader = new BatchLoader(TestImages.Source(50, Shape), Options(7) with { DropLast = dropLast });
        var indices = new List<int>();
        foreach (var batch in loader.Epoch(0))
        {
            using (batch)
                indices.AddRange(batch.Indices.AsSpan(0, batch.Count));
        }
        Assert.That(indices, Is.Unique);
        Assert.That(indices, Has.Count.EqualTo(dropLast ? 49 : 50));
        Assert.That(loader.ImageCount, Is.EqualTo(indices.Count));
    }

    [Test]
    public void Epochs_differ_and_repeat()
    {
        var loader = new BatchLoader(TestImages.Source(50, Shape), Options(10));
        Assert.That(Contents(loader.Epoch(0)), Is.EqualTo(Contents(loader.Epoch(0))));
        Assert.That(Contents(loader.Epoch(0)), Is.Not.EqualTo(Contents(loader.Epoch(1))));
    }

    [Test]
    public void Without_shuffling_the_order_is_the_sources()
    {
        var loader = new BatchLoader(TestImages.Source(10, Shape), Options(4) with { Shuffle = false });
        var labels = new List<long>();
        foreach (var batch in loader.Epoch(5))
        {
            using (batch)
                labels.AddRange(batch.Labels.AsSpan(0, batch.Count));
        }
        Assert.That(labels, Is.EqualTo(new long[] { 0, 1, 2, 0, 1, 2, 0, 1, 2, 0 }));
    }

    [Test]
    public void Values_are_normalised_as_torchvision_does_it()
    {
        var source = TestImages.Source(1, Shape);
        var statistics = new ChannelStatistics([0.1f, 0.2f, 0.3f], [0.5f, 0.6f, 0.7f]);
        var loader = new BatchLoader(source, new BatchOptions { BatchSize = 1, Statistics = statistics });
        byte[] pixels = TestImages.Read(source, 0);
        foreach (var batch in loader.Epoch(0))
        {
            for (int i = 0; i < pixels.Length; i++)
            {
                int c = i / Shape.PlaneSize;
                float expected = (pixels[i] / 255f - statistics.Mean[c]) / statistics.Deviation[c];
                Assert.That(batch.Pixels[i], Is.EqualTo(expected));
            }
            batch.Dispose();
        }
    }

    [Test]
    public void A_failing_image_fails_its_batch_after_the_batches_before_it()
    {
        var loader = new BatchLoader(
            new FailingAt(TestImages.Source(40, Shape), 25),
            new BatchOptions { BatchSize = 10, Workers = 3 }
        );
        int seen = 0;
        var error = Assert.Throws<InputError>(() =>
        {
            foreach (var batch in loader.Epoch(0))
            {
                batch.Dispose();
                seen++;
            }
        })!;
        Assert.That(error.Message, Is.EqualTo("25.png is damaged"));
        Assert.That(seen, Is.EqualTo(2));
    }

    [Test, CancelAfter(20_000)]
    public void Leaving_early_stops_the_threads_at_once()
    {
        // A batch takes a second to read; the threads are in the middle of the second to fifth when the loop is left.
        var source = new Slow(TestImages.Source(10_000, Shape));
        var loader = new BatchLoader(source, new BatchOptions { BatchSize = 200, Workers = 4 });
        using var reading = loader.Epoch(0).GetEnumerator();
        Assert.That(reading.MoveNext(), Is.True);
        Thread.Sleep(200);
        var clock = System.Diagnostics.Stopwatch.StartNew();
        reading.Dispose();
        Assert.That(clock.ElapsedMilliseconds, Is.LessThan(500));
        int after = source.Reads;
        Thread.Sleep(100);
        Assert.That(source.Reads, Is.EqualTo(after), "a thread went on reading");
    }

    [Test, CancelAfter(10_000)]
    public void A_source_that_is_cancelled_fails_the_loop_and_does_not_hang_it()
    {
        var loader = new BatchLoader(new Cancelled(TestImages.Source(4, Shape)), new BatchOptions { BatchSize = 2 });
        Assert.That(() => loader.Epoch(0).First(), Throws.InstanceOf<OperationCanceledException>());
    }

    [Test, CancelAfter(10_000)]
    public void A_consumer_may_keep_all_batches()
    {
        var loader = new BatchLoader(TestImages.Source(60, Shape), Options(2) with { Prefetch = 1 });
        var kept = loader.Epoch(0).ToList();
        Assert.That(kept.Select(b => b.Ordinal), Is.EqualTo(Enumerable.Range(0, 30)));
        kept.ForEach(b => b.Dispose());
    }

    [Test]
    public void Buffers_are_used_again()
    {
        var loader = new BatchLoader(TestImages.Source(600, Shape), Options(2) with { Prefetch = 2, Workers = 2 });
        var arrays = new HashSet<float[]>(ReferenceEqualityComparer.Instance);
        foreach (var batch in loader.Epoch(0))
        {
            arrays.Add(batch.Pixels);
            batch.Dispose();
        }
        Assert.That(arrays, Has.Count.LessThanOrEqualTo(6));
    }

    [Test]
    public void A_loader_that_nobody_has_any_more_gives_its_memory_back()
    {
        // Validation once made one for each epoch: 1,500 epochs must not leave 1,500 of their buffers.
        var source = TestImages.Source(6, Shape);
        WeakReference[] buffers = [.. Enumerable.Range(0, 1500).Select(epoch => FirstBufferOf(source, epoch))];
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        Assert.That(buffers.Count(buffer => buffer.IsAlive), Is.LessThan(3));
    }

    /// <summary>Takes an epoch of a new loader, as the thread of the caller; the buffer is not kept by this frame.</summary>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference FirstBufferOf(IImageSource source, int epoch)
    {
        WeakReference? first = null;
        foreach (var batch in new BatchLoader(source, Options(4)).Epoch(epoch))
        {
            using var lent = batch;
            first ??= new WeakReference(batch.Pixels);
        }
        return first!;
    }

    [Test]
    public void Wrong_channel_counts_and_empty_sources_are_refused()
    {
        var two = ChannelStatistics.Identity(2);
        Assert.That(
            () => new BatchLoader(TestImages.Source(4, Shape), new BatchOptions { BatchSize = 1, Statistics = two }),
            Throws.TypeOf<InputError>().With.Message.Contains("3 channels, the mean and deviation 2")
        );
        Assert.That(
            () => new BatchLoader(new Subset(TestImages.Source(4, Shape), []), new BatchOptions { BatchSize = 1 }),
            Throws.TypeOf<InputError>()
        );
    }

    /// <summary>Everything that a batch holds, as text, so that epochs compare.</summary>
    private static List<string> Contents(IEnumerable<Batch> batches)
    {
        var contents = new List<string>();
        foreach (var batch in batches)
        {
            using (batch)
            {
                float[] pixels = batch.Pixels[..(batch.Count * batch.Shape.Size)];
                long[] labels = batch.Labels[..batch.Count];
                byte[] bytes = new byte[pixels.Length * 4];
                Buffer.BlockCopy(pixels, 0, bytes, 0, bytes.Length);
                contents.Add($"{batch.Ordinal}: {string.Join(' ', labels)} {Convert.ToBase64String(bytes)}");
            }
        }
        return contents;
    }

    private static BatchOptions Options(int batchSize) =>
        new()
        {
            BatchSize = batchSize,
            Seed = 11,
            Shuffle = true,
            Workers = 3,
            Transforms = [new AddNoise()],
        };

    private sealed class AddNoise : ISampleTransform
    {
        public ImageShape Output(ImageShape input) => input;

        public void Apply(Canvas canvas, ref RandomStream random)
        {
            foreach (ref byte pixel in canvas.Pixels)
                pixel += (byte)random.NextInt(256);
        }
    }

    private abstract class Wrapper(IImageSource inner) : IImageSource
    {
        public int Count => inner.Count;
        public ImageShape Shape => inner.Shape;
        public IReadOnlyList<string> ClassNames => inner.ClassNames;

        public int Label(int index) => inner.Label(index);

        public virtual void Read(int index, Span<byte> pixels) => inner.Read(index, pixels);
    }

    private sealed class FailingAt(IImageSource inner, int at) : Wrapper(inner)
    {
        public override void Read(int index, Span<byte> pixels)
        {
            if (index == at)
                throw new InputError($"{at}.png is damaged", "replace it");
            base.Read(index, pixels);
        }
    }

    private sealed class Cancelled(IImageSource inner) : Wrapper(inner)
    {
        public override void Read(int index, Span<byte> pixels) => throw new OperationCanceledException();
    }

    private sealed class Slow(IImageSource inner) : Wrapper(inner)
    {
        public int Reads;

        public override void Read(int index, Span<byte> pixels)
        {
            Interlocked.Increment(ref Reads);
            Thread.Sleep(5);
            base.Read(index, pixels);
        }
    }
}
