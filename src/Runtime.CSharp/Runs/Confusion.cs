using System.Text.Json;
using System.Text.Json.Serialization;

namespace CnnSpec.Runtime.Runs;

/// <summary>How many images of a class were predicted as another.</summary>
/// <param name="Label">What the images show.</param>
/// <param name="Guess">What they were predicted as.</param>
public readonly record struct Confused(int Label, int Guess, int Images);

/// <summary>
/// Which classes were predicted as which. Only pairs that occurred are held: of 20,000 classes a whole table would take
/// gigabytes.
/// </summary>
[JsonConverter(typeof(AsTriples))]
public sealed class Confusion
{
    private readonly Dictionary<(int Label, int Guess), int> _counts = [];
    private readonly Dictionary<int, int> _images = [];

    /// <summary>Every pair that occurred, by label and then by guess; right guesses too.</summary>
    public IEnumerable<Confused> Pairs =>
        _counts
            .Select(entry => new Confused(entry.Key.Label, entry.Key.Guess, entry.Value))
            .OrderBy(pair => (pair.Label, pair.Guess));

    /// <summary>What was predicted as something else, commonest first.</summary>
    public IEnumerable<Confused> Mistakes =>
        Pairs.Where(pair => pair.Label != pair.Guess).OrderByDescending(pair => pair.Images);

    /// <summary>Images that were predicted right.</summary>
    public int Right => _counts.Sum(entry => entry.Key.Label == entry.Key.Guess ? entry.Value : 0);

    /// <summary>How many images of one class were predicted as another.</summary>
    public int this[int label, int guess] => _counts.GetValueOrDefault((label, guess));

    /// <summary>How many images there are of a class.</summary>
    public int ImagesOf(int label) => _images.GetValueOrDefault(label);

    internal void Add(int label, int guess, int images = 1)
    {
        _counts[(label, guess)] = this[label, guess] + images;
        _images[label] = ImagesOf(label) + images;
    }

    /// <summary><c>[[label, guess, images], …]</c></summary>
    private sealed class AsTriples : JsonConverter<Confusion>
    {
        public override void Write(Utf8JsonWriter writer, Confusion value, JsonSerializerOptions options)
        {
            writer.WriteStartArray();
            foreach (var (label, guess, images) in value.Pairs)
                JsonSerializer.Serialize(writer, (int[])[label, guess, images], options);
            writer.WriteEndArray();
        }

        public override Confusion Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options)
        {
            var confusion = new Confusion();
            foreach (int[] triple in JsonSerializer.Deserialize<int[][]>(ref reader, options) ?? [])
                if (triple is [var label, var guess, var images])
                    confusion.Add(label, guess, images);
                else
                    throw new JsonException();
            return confusion;
        }
    }
}
