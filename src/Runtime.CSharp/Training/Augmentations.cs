using CnnSpec.Data;
using CnnSpec.Ir;

namespace CnnSpec.Runtime.Training;

/// <summary>A recipe's augmentations as steps of the batch loader.</summary>
internal static class Augmentations
{
    /// <summary>Those that change one image at a time, in the recipe's order.</summary>
    public static IReadOnlyList<ISampleTransform> OfImages(IEnumerable<Augmentation> recipe, DataSet data)
    {
        int height = data.Train.Shape.Height;
        int width = data.Train.Shape.Width;
        return
        [
            .. recipe
                .Select(
                    ISampleTransform? (augmentation) =>
                        augmentation switch
                        {
                            Augmentation.HorizontalFlip a => new RandomHorizontalFlip(a.probability),
                            Augmentation.VerticalFlip a => new RandomVerticalFlip(a.probability),
                            Augmentation.Crop a => new RandomCrop(height, width, a.padding, Margin(a.reflect)),
                            Augmentation.Pad a => new Pad(a.cells, Margin(a.reflect)),
                            Augmentation.Resize a => Resize.To(a.height, a.width),
                            Augmentation.ResizedCrop a => new RandomResizedCrop(
                                height,
                                width,
                                new Interval(a.smallest, a.largest),
                                new Interval(a.narrowest, a.widest)
                            ),
                            Augmentation.Rotation a => new RandomRotation(a.degrees),
                            Augmentation.ColorJitter a => new ColorJitter(
                                a.brightness,
                                a.contrast,
                                a.saturation,
                                a.hue
                            ),
                            Augmentation.Cutout a => new Cutout(a.size, data.Statistics),
                            Augmentation.RandomErasing a => new RandomErasing(a.probability, data.Statistics),
                            Augmentation.RandAugment a => new RandAugment(a.operations, a.magnitude),
                            Augmentation.Mixup or Augmentation.CutMix => null,
                            _ => throw new NotSupportedException($"the runtime has no augmentation {augmentation}"),
                        }
                )
                .OfType<ISampleTransform>(),
        ];
    }

    private static PadMode Margin(bool reflect) => reflect ? PadMode.Reflect : PadMode.Zero;

    /// <summary>The one that mixes images of a batch; of several each batch draws one; null where there is none.</summary>
    public static IBatchTransform? OfBatches(IEnumerable<Augmentation> recipe)
    {
        IBatchTransform[] mixing =
        [
            .. recipe
                .Select(
                    IBatchTransform? (augmentation) =>
                        augmentation switch
                        {
                            Augmentation.Mixup a => new Mixup(a.alpha),
                            Augmentation.CutMix a => new CutMix(a.alpha),
                            _ => null,
                        }
                )
                .OfType<IBatchTransform>(),
        ];
        return mixing.Length switch
        {
            0 => null,
            1 => mixing[0],
            _ => new RandomBatchChoice(mixing),
        };
    }
}
