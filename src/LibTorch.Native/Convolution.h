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

// The same windows seen from the output: filters for channels and channels for filters.
inline ConvShape reversed(const ConvShape& s) {
    ConvShape r = s;
    std::swap(r.channels, r.filters);
    std::swap(r.height, r.outHeight);
    std::swap(r.width, r.outWidth);
    r.padTop = 2 - s.padTop;
    r.padLeft = 2 - s.padLeft;
    return r;
}

inline bool whole_vectors(const ConvShape& s) {
    return s.channels % 16 == 0 && s.filters % 16 == 0;
}

// Matrix units beat any saving of bfloat16 products.
inline bool has_matrix_units() {
#if defined(CNNSPEC_X86_LEVELS)
    return __builtin_cpu_supports("amx-bf16");
#else
    return false;
#endif
}

inline bool three_by_three(const ConvShape& s) {
    return s.kernelHeight == 3 && s.kernelWidth == 3 && s.strideHeight == 1 && s.strideWidth == 1 &&
           s.dilationHeight == 1 && s.dilationWidth == 1 && s.padTop <= 2 && s.padLeft <= 2;
}

// Whether Winograd's method can take a convolution, and may be the faster where there are tiles enough.
inline bool winograd_fits(Element element, const ConvShape& s) {
    return kernels().winograd && whole_vectors(s) && three_by_three(s) &&
           (element == Element::Float32 || (s.channels * s.filters >= 256 && !has_matrix_units()));
}

// The points of 3×3 filters for Winograd's method, in the type of the maps that they meet.
inline at::Tensor points_of(const at::Tensor& weight, Element element, const ConvShape& s, bool rotated) {
    at::Tensor floats = weight.to(at::kFloat).contiguous();
    at::Tensor points = at::empty({16 * s.channels * s.filters},
                                  at::TensorOptions().dtype(element == Element::Float32 ? at::kFloat : at::kBFloat16));
    FilterShape shape{s.filters, s.channels, rotated ? 9 : s.channels * 9, rotated ? s.filters * 9 : 9, rotated};
    kernels().winograd_filters(element, shape, floats.data_ptr<float>(), points.data_ptr());
    return points;
}

// y = act(y + addend), in place.
at::Tensor finish_(at::Tensor y, const c10::optional<at::Tensor>& addend, bool relu);

} // namespace cnnspec
