/// E03xx: layers that do not fit what reaches them.
module internal CnnSpec.Text.Codes.Shapes

open CnnSpec.Text

let private branches =
    [
        Explanation.create
            "E0301"
            "branches of different shapes are added or multiplied"
            """
            `add` and `mul` work element by element, so all branches must have one shape. Frameworks broadcast a 1×1 map
            over a larger one in silence and the network trains, wrongly; here that is an error. A residual block that
            changes channels or size needs a projection on its skip path: a 1×1 convolution with the same stride.
            `mul(broadcast=true)` scales channels by a [C, 1, 1] map where that is meant (squeeze and excitation).
            """
            """
            network N {
              input 64 x 32 x 32
              add {
                main: conv(128, kernel=3, stride=2, padding=1)
                skip: identity
              }
            }
            """
            """
            network N {
              input 64 x 32 x 32
              add {
                main: conv(128, kernel=3, stride=2, padding=1)
                skip: conv(128, kernel=1, stride=2)
              }
            }
            """
        Explanation.create
            "E0302"
            "branches of different sizes are concatenated"
            """
            `concat` stacks channels, so heights and widths must agree. A branch with a kernel of k keeps its size with
            padding (k − 1)/2; a pooling branch needs stride=1 and padding as well.
            """
            """
            network N {
              input 64 x 28 x 28
              concat {
                conv(32, kernel=1)
                conv(32, kernel=3)
              }
            }
            """
            """
            network N {
              input 64 x 28 x 28
              concat {
                conv(32, kernel=1)
                conv(32, kernel=3, padding=1)
              }
            }
            """
    ]

let private layers =
    [
        Explanation.create
            "E0303"
            "a window that does not fit its map"
            """
            The kernel (with dilation it covers d(k − 1) + 1 cells) is larger than the map with its padding, so there is
            no position to put it. Usually the layers before it subsampled more than was meant: every stride and pool
            divides height and width. The note shows the arithmetic.
            """
            """
            network N {
              input 3 x 4 x 4
              max_pool(2)
              conv(16, kernel=3)
            }
            """
            """
            network N {
              input 3 x 4 x 4
              max_pool(2)
              conv(16, kernel=3, padding=1)
            }
            """
        Explanation.create
            "E0304"
            "a map where features are needed, or features where a map is"
            """
            Convolutions and pools work on maps of channels × height × width; `linear` works on features. `flatten`
            makes features of a map, `reshape([C, H, W])` a map of features.
            """
            """
            network N {
              input 3 x 32 x 32
              conv(16, kernel=3)
              linear(10)
            }
            """
            """
            network N {
              input 3 x 32 x 32
              conv(16, kernel=3)
              flatten
              linear(10)
            }
            """
        Explanation.create
            "E0305"
            "channels that do not divide"
            """
            Groups split the channels into equal parts, so they must divide the input channels and the output
            channels. `split`, `group_norm`, `channel_shuffle` and `pixel_shuffle` divide channels, too.
            """
            """
            network N {
              input 30 x 14 x 14
              conv(64, kernel=3, groups=4)
            }
            """
            """
            network N {
              input 32 x 14 x 14
              conv(64, kernel=3, groups=4)
            }
            """
        Explanation.create
            "E0306"
            "values that cannot be rearranged like this"
            """
            A reshape keeps the number of values, a permutation names each axis once, a slice stays within the
            channels, and an `affine` has one number or one for each channel. Batches are never counted. Sizes that
            are computed from `channels`, `height` and `width` stay right when the network before them changes.
            """
            """
            network N {
              input 16 x 5 x 5
              reshape([256])
              linear(10)
            }
            """
            """
            network N {
              input 16 x 5 x 5
              reshape([channels * height * width])
              linear(10)
            }
            """
        Explanation.create
            "E0307"
            "a tensor beyond any machine"
            """
            A layer's output or weight would have more than 2⁴⁰ values (4 TiB). Mostly a flatten stands before a
            pool that was forgotten, or a count has zeros too many.
            """
            """
            network N {
              input 3 x 2048 x 2048
              flatten
              linear(1M)
            }
            """
            """
            network N {
              input 3 x 2048 x 2048
              global_avg_pool
              flatten
              linear(1M)
            }
            """
        Explanation.create
            "E0308"
            "a pool padded by more than half its window"
            """
            With padding of more than half the kernel a window could lie in the padding alone, where there is no value
            to take. PyTorch refuses this, too.
            """
            """
            network N {
              input 3 x 32 x 32
              max_pool(2, padding=2)
            }
            """
            """
            network N {
              input 3 x 32 x 32
              max_pool(2, padding=1)
            }
            """
        Explanation.create
            "E0309"
            "a reflection larger than the map"
            """
            Reflection repeats rows inwards from the edge without the edge itself, so a map of n rows has n − 1 to give.
            """
            """
            network N {
              input 3 x 4 x 4
              pad(4, mode="reflect")
            }
            """
            """
            network N {
              input 3 x 4 x 4
              pad(3, mode="reflect")
            }
            """
    ]

let all = branches @ layers
