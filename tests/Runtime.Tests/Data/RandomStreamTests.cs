using CnnSpec.Data;
using FsCheck;
using FsCheck.Fluent;
using NUnit.Framework;

namespace CnnSpec.Runtime.Tests.Data;

public sealed class RandomStreamTests
{
    /// <summary>The published test vector of SplitMix64 for seed 1234567.</summary>
    [Test]
    public void Gives_the_published_numbers()
    {
        var random = new RandomStream(1234567);
        ulong[] expected =
        [
            6457827717110365317,
            3203168211198807973,
            9817491932198370423,
            4593380528125082431,
            16408922859458223821,
        ];
        foreach (ulong number in expected)
            Assert.That(random.NextUInt64(), Is.EqualTo(number));
    }

    [Test]
    public void Streams_of_neighbouring_purposes_are_unrelated()
    {
        var firsts = new HashSet<ulong>();
        for (ulong seed = 0; seed < 10; seed++)
        for (ulong epoch = 0; epoch < 10; epoch++)
        for (ulong index = 0; index < 100; index++)
        {
            var random = RandomStream.For(seed, epoch, index);
            firsts.Add(random.NextUInt64());
        }
        Assert.That(firsts, Has.Count.EqualTo(10_000));
    }

    [FsCheck.NUnit.Property]
    public Property Integers_stay_below_their_bound(PositiveInt bound, ulong seed)
    {
        var random = new RandomStream(seed);
        int value = random.NextInt(bound.Get);
        return (value >= 0 && value < bound.Get).ToProperty();
    }

    [Test]
    public void Integers_are_uniform()
    {
        var random = new RandomStream(7);
        var counts = new int[7];
        for (int i = 0; i < 70_000; i++)
            counts[random.NextInt(7)]++;
        Assert.That(counts, Is.All.InRange(9_600, 10_400));
    }

    [FsCheck.NUnit.Property]
    public Property A_shuffle_is_a_permutation(byte count, ulong seed)
    {
        var items = Enumerable.Range(0, count).ToArray();
        var random = new RandomStream(seed);
        random.Shuffle(items);
        return items.Order().SequenceEqual(Enumerable.Range(0, count)).ToProperty();
    }

    [Test]
    public void A_shuffle_does_not_change_between_versions()
    {
        var items = Enumerable.Range(0, 8).ToArray();
        var random = RandomStream.For(42, 1);
        random.Shuffle(items);
        Assert.That(string.Join(' ', items), Is.EqualTo("5 1 3 0 6 2 7 4"));
    }

    [FsCheck.NUnit.Property]
    public Property A_split_parts_all_images(PositiveInt size, ulong seed, byte held)
    {
        int count = size.Get % 1000 + 1;
        int validation = held % count;
        var split = Split.Hold(count, validation, seed);
        return (
            split.Validation.Length == validation
            && split.Train.Concat(split.Validation).Order().SequenceEqual(Enumerable.Range(0, count))
        ).ToProperty();
    }

    [Test]
    public void A_split_that_leaves_nothing_to_train_is_refused()
    {
        var error = Assert.Throws<InputError>(() => Split.Hold(10, 10, 1))!;
        Assert.That(error.Message, Does.Contain("validation = 10").And.Contain("10 training images"));
    }
}
