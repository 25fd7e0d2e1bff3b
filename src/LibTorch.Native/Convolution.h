// What training's and evaluation's convolutions share: the shape of one, and when the native kernels take it.
#pragma once

#include "ChannelRows.h"

#include <ATen/ops/empty.h>
#include <vector>

namespace cnnspec {

struct Windows {
    std::vector<int64_t> stride, padding, dilation;
};

inline ConvShape shape_of(const at::Tensor& x, const at::Tensor& weight, const Windows& w) {
    auto size = [&](int64_t dim) {
        return (x.size(dim + 2) + 2 * w.padding[dim] - w.dilation[dim] * (weight.size(dim + 2) - 1) - 1) /
                   w.stride[dim] +
               1;
    };
    return {x.size(0),   x.size(1),    x.size(2),      x.size(3),      weight.size(0),
            size(0),     size(1),      weight.size(2), weight.size(3), w.stride[0],
            w.stride[1], w.padding[0], w.padding[1],   w.dilation[0],  w.dilation[1]};
}

// The output of a convolution of x: [N,K,H',W'], channels-last.
inline at::Tensor map_of(const ConvShape& s, const at::Tensor& x) {
    return at::empty({s.images, s.filters, s.outHeight, s.outWidth},
                     x.options().memory_format(at::MemoryFormat::ChannelsLast));
}

// The same windows seen from the output: filters for channels and channels for filters.
inline ConvShape reversed(const ConvShape& s) {
    ConvShape r = s;
    std::swap(r.channels, r.filters);
    std::swap(r.height, r.outHeight);
    std::swap(r.width, r.outWidth);
    r.padTop = s.kernelHeight - 1 - s.padTop;
    r.padLeft = s.kernelWidth - 1 - s.padLeft;
    return r;
}

// Windows of 3×3 or 5×5 that Winograd's method knows.
inline bool has_tiles(const ConvShape& s) {
    return s.kernelHeight == s.kernelWidth && (s.kernelHeight == 3 || s.kernelHeight == 5) && s.strideHeight == 1 &&
           s.strideWidth == 1 && s.dilationHeight == 1 && s.dilationWidth == 1 && s.padTop < s.kernelHeight &&
           s.padLeft < s.kernelWidth;
}

// Tiles of 4×4 outputs of a 3×3 convolution, or of 2×2 of a 5×5 one, each with 36 products a channel and filter.
inline int64_t tiles_of(const ConvShape& s) {
    int64_t outputs = tile_side(s.kernelHeight);
    return s.images * ((s.outHeight + outputs - 1) / outputs) * ((s.outWidth + outputs - 1) / outputs);
}

// Whether tiles that hang over the map's edges leave Winograd's method two thirds of the products at most.
inline bool winograd_saves(const ConvShape& s) {
    return 3 * Points * Points * tiles_of(s) <=
           2 * s.images * s.outHeight * s.outWidth * s.kernelHeight * s.kernelWidth;
}

// Whether vectors that are filled up with zeros are half full at least.
inline bool fills_vectors(const ConvShape& s) {
    return padded(s.channels) * padded(s.filters) <= 2 * s.channels * s.filters;
}

// Whether Winograd's method can take a convolution, and may be the faster where there are tiles enough.
inline bool winograd_fits(Element element, const ConvShape& s) {
    return kernels().winograd && has_tiles(s) && fills_vectors(s) &&
           (element == Element::Float32 || !has_matrix_units());
}

// Images of one channel, of which oneDNN has no fast bfloat16 convolution, and where the native kernels are ahead of it
// in float32.
inline bool is_image(const ConvShape& s) {
    return kernels().image && s.channels == 1;
}

// Dense float32; undefined where it is.
inline at::Tensor floats_of(const at::Tensor& weight) {
    return weight.defined() ? weight.to(at::kFloat).contiguous() : weight;
}

// The points of filters for Winograd's method, in the type of the maps that they meet.
inline at::Tensor points_of(const at::Tensor& weight, Element element, const ConvShape& s, bool rotated) {
    at::Tensor floats = floats_of(weight);
    at::Tensor points = at::empty({Points * Points * padded(s.channels) * padded(s.filters)},
                                  at::TensorOptions().dtype(element == Element::Float32 ? at::kFloat : at::kBFloat16));
    int64_t taps = s.kernelHeight, each = taps * taps;
    FilterShape shape{
        s.filters, s.channels, taps, rotated ? each : s.channels * each, rotated ? s.filters * each : each, rotated};
    kernels().winograd_filters(element, shape, floats.data_ptr<float>(), points.data_ptr());
    return points;
}

// y = act(y + addend), in place.
at::Tensor finish_(at::Tensor y, const c10::optional<at::Tensor>& addend, bool relu);

} // namespace cnnspec
