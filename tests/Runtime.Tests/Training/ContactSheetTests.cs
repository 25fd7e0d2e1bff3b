using CnnSpec.Data;
using CnnSpec.Ir;
using CnnSpec.Runtime.Tests.Networks;
using CnnSpec.Runtime.Training;

namespace CnnSpec.Runtime.Tests.Training;

/// <summary>The sheet shows what training will see, not something like it.</summary>
public class ContactSheetTests
{
    private static readonly ImageShape Shape = new(3, 20, 28);

    private static Recipe Recipe(string augment) =>
        Specs
            .Compiled(
                $"network N {{ input 3 x 20 x 28; flatten; linear(10) }}\ntrain {{ data = shapes(); augment = [{augment}] }}"
            )
            .Networks.Single()
            .Recipes.Single();

    private static Raster Sheet(string? augment)
    {
        var data = new DataCatalog().Open("shapes", Shape, 5, (40, 10));
        var sheet = new ContactSheet(data, augment is null ? null : Recipe(augment), seed: 5, count: 10);
        Assert.That(sheet.Classes, Has.Count.EqualTo(10));
        return ImageDecoder.Decode(sheet.ToPng(), "sheet");
    }

    [Test]
    public void A_certain_flip_mirrors_each_image_below_its_original()
    {
        var sheet = Sheet("flip(p=1.0)");
        // 28 pixels become 112, of which every fourth is enough; one image below the other, four pixels between.
        int width = sheet.Shape.Width;
        for (int y = 0; y < 80; y += 4)
        for (int x = 0; x < 112; x += 4)
        {
            byte above = sheet.Pixels[(4 + y) * width + 4 + x];
            byte below = sheet.Pixels[(4 + 80 + 4 + y) * width + 4 + 111 - x];
            Assert.That(below, Is.EqualTo(above), $"{y}, {x}");
        }
    }

    [Test]
    public void Without_a_recipe_there_are_only_originals()
    {
        var alone = Sheet(null);
        var pairs = Sheet("flip");
        Assert.That(alone.Shape.Width, Is.EqualTo(pairs.Shape.Width));
        Assert.That(alone.Shape.Height, Is.EqualTo(2 * 84 + 4));
        Assert.That(pairs.Shape.Height, Is.GreaterThan(4 * 84));
    }
}
