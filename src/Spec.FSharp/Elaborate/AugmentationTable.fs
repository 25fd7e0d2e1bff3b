/// What a recipe can do to training images, and what it makes of their size.
module CnnSpec.Elaborate.AugmentationTable

open CnnSpec.Ir
open CnnSpec.Elaborate.Parameter
open CnnSpec.Elaborate.RecipeTable

let private interval name low high doc =
    optional name Numbers (List [ Float low; Float high ]) doc

let private ends (bound: Bound) name =
    match bound.Floats name with
    | [ low; high ] -> low, high
    | [ only ] -> only, only
    | _ -> 0.0, 0.0

let private half doc = number "p" probability 0.5 doc

let augmentations: Entry<Augmentation> list =
    [
        entry "flip" [ half "probability" ] "mirrors left and right" (fun b -> HorizontalFlip(b.Float "p"))
        entry "vertical_flip" [ half "probability" ] "mirrors top and bottom" (fun b -> VerticalFlip(b.Float "p"))
        entry
            "crop"
            [
                optional "padding" natural (Int 4L) "cells added on each side first"
                optional "mode" (Choice [ "zeros"; "reflect" ]) (Text "zeros") "what they are filled with"
            ]
            "a window of the network's size out of the padded image; an image of that size without padding stays whole"
            (fun b -> Crop(b.Int "padding", b.Text "mode" = "reflect"))
        entry
            "pad"
            [
                required "cells" count "on each side"
                optional "mode" (Choice [ "zeros"; "reflect" ]) (Text "zeros") "what they are filled with"
            ]
            "makes the image larger on all sides; a crop must follow"
            (fun b -> Pad(b.Int "cells", b.Text "mode" = "reflect"))
        entry
            "resize"
            [ required "size" size "height and width" ]
            "stretches the whole image; a crop must follow where the size is not the network's"
            (fun b ->
                let size = b.Extent "size"
                Resize(size.Height, size.Width))
        entry
            "resized_crop"
            [
                interval "scale" 0.08 1.0 "part of the area, from and to"
                interval "ratio" 0.75 (4.0 / 3.0) "width over height, from and to"
            ]
            "a part of the image, resized to the whole; torchvision's sampling rule"
            (fun b ->
                let smallest, largest = ends b "scale"
                let narrowest, widest = ends b "ratio"
                ResizedCrop(smallest, largest, narrowest, widest))
        entry
            "rotate"
            [ required "degrees" (Number(0.0, 180.0)) "at most this much either way" ]
            "turns the image"
            (fun b -> Rotation(b.Float "degrees"))
        entry
            "color_jitter"
            [
                number "brightness" nonNegative 0.0 "factor within 1 ± this"
                number "contrast" nonNegative 0.0 "factor within 1 ± this"
                number "saturation" nonNegative 0.0 "factor within 1 ± this"
                number "hue" (Number(0.0, 0.5)) 0.0 "shift within ± this part of the circle"
            ]
            "changes colours; torchvision's definitions"
            (fun b -> ColorJitter(b.Float "brightness", b.Float "contrast", b.Float "saturation", b.Float "hue"))
        entry "cutout" [ required "size" count "side of the square" ] "a square set to the mean" (fun b ->
            Cutout(b.Int "size"))
        entry "random_erasing" [ half "probability" ] "a rectangle set to the mean" (fun b ->
            RandomErasing(b.Float "p"))
        entry
            "rand_augment"
            [
                optional "operations" count (Int 2L) "how many, one after the other"
                optional "magnitude" (Integer(0L, 30L)) (Int 9L) "their strength"
            ]
            "random operations of one strength; torchvision's list"
            (fun b -> RandAugment(b.Int "operations", b.Int "magnitude"))
        entry
            "mixup"
            [ number "alpha" positive 1.0 "of the Beta distribution" ]
            "blends pairs of images and labels"
            (fun b -> Mixup(b.Float "alpha"))
        entry
            "cutmix"
            [ number "alpha" positive 1.0 "of the Beta distribution" ]
            "pastes a part of one image into another"
            (fun b -> CutMix(b.Float "alpha"))
    ]

/// The size (height, width) that an image has after a step, given the one before it and the network's own; or what keeps
/// the step from working.
let resized (whole: int64 * int64) (height: int64, width: int64) (step: Augmentation) : Result<int64 * int64, string> =
    let padded (cells: int) =
        height + 2L * int64 cells, width + 2L * int64 cells

    match step with
    | Pad(cells, reflect)
    | Crop(cells, reflect) when reflect && int64 cells >= min height width ->
        Error $"a reflected margin of {cells} cells is wider than an image of {height} × {width}"
    | Pad(cells, _) -> Ok(padded cells)
    | Resize(height, width) -> Ok(int64 height, int64 width)
    | Crop(cells, _) ->
        let height, width = padded cells

        if height < fst whole || width < snd whole then
            Error $"a crop of {fst whole} × {snd whole} does not fit into {height} × {width}"
        else
            Ok whole
    | ResizedCrop _ -> Ok whole
    | HorizontalFlip _
    | VerticalFlip _
    | Rotation _
    | ColorJitter _
    | Cutout _
    | RandomErasing _
    | RandAugment _
    | Mixup _
    | CutMix _ -> Ok(height, width)
