// Which loop computes a convolution. The bounds of this file are where ours and oneDNN's took the same time
// (docs/performance.md).
#include "Guard.h"

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <utility>

using namespace cnnspec;

namespace {

struct Free {
    void operator()(void* data) const { std::free(data); }
};
using Buffer = std::unique_ptr<void, Free>;

Buffer buffer(int64_t bytes) {
    Buffer made(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
    if (!made)
        throw std::bad_alloc();
    return made;
}

int64_t size_of(Element element) {
    return element == Element::Float32 ? 4 : 2;
}

ConvShape shape_of(const cnnspec_conv& c) {
    return {c.images,       c.channels,      c.height,       c.width,         c.filters,
            c.out_height,   c.out_width,     c.kernel_height, c.kernel_width, c.stride_height,
            c.stride_width, c.pad_top,       c.pad_left,     c.dilation_height, c.dilation_width};
}

// The same windows seen from the output: filters for channels and channels for filters.
ConvShape reversed(const ConvShape& s) {
    ConvShape r = s;
    std::swap(r.channels, r.filters);
    std::swap(r.height, r.outHeight);
    std::swap(r.width, r.outWidth);
    r.padTop = s.kernelHeight - 1 - s.padTop;
    r.padLeft = s.kernelWidth - 1 - s.padLeft;
    return r;
}

// Windows of 3×3 or 5×5 that Winograd's method knows.
bool has_tiles(const ConvShape& s) {
    return s.kernelHeight == s.kernelWidth && (s.kernelHeight == 3 || s.kernelHeight == 5) && s.strideHeight == 1 &&
           s.strideWidth == 1 && s.dilationHeight == 1 && s.dilationWidth == 1 && s.padTop < s.kernelHeight &&
           s.padLeft < s.kernelWidth;
}

// Tiles of 4×4 outputs of a 3×3 convolution, or of 2×2 of a 5×5 one, each with 36 products a channel and filter.
int64_t tiles_of(const ConvShape& s) {
    int64_t outputs = tile_side(s.kernelHeight);
    return s.images * ((s.outHeight + outputs - 1) / outputs) * ((s.outWidth + outputs - 1) / outputs);
}

// Whether tiles that hang over the map's edges leave Winograd's method two thirds of the products at most.
bool winograd_saves(const ConvShape& s) {
    return 3 * Points * Points * tiles_of(s) <=
           2 * s.images * s.outHeight * s.outWidth * s.kernelHeight * s.kernelWidth;
}

// Whether vectors that are filled up with zeros are a third full at least.
bool fills_vectors(const ConvShape& s) {
    return padded(s.channels) * padded(s.filters) <= 3 * s.channels * s.filters;
}

// Whether Winograd's method can take a convolution, and may be the faster where there are tiles enough.
bool winograd_fits(Element element, const ConvShape& s) {
    return kernels().winograd && has_tiles(s) && fills_vectors(s) &&
           (element == Element::Float32 || !has_matrix_units());
}

bool winograd_pays(Element element, const ConvShape& s) {
    // The filters' points are worked out in every call, which must be worth it.
    return winograd_fits(element, s) && winograd_saves(s) && tiles_of(s) >= (element == Element::Float32 ? 8 : 32);
}

// Images of one channel, of which oneDNN has no fast bfloat16 convolution, and where these loops are ahead of it in
// float32.
bool is_image(const ConvShape& s) {
    return kernels().image && s.channels == 1;
}

enum class GradientBy { Nothing, Image, Winograd, Taps };

GradientBy weight_gradient_by(Element element, const ConvShape& s) {
    if (is_image(s))
        return GradientBy::Image;
    if (!kernels().winograd_gradient || s.channels * s.filters > 256 * 256)
        return GradientBy::Nothing;
    if (winograd_fits(element, s) && winograd_saves(s))
        return GradientBy::Winograd;
    bool taps =
        element == Element::BFloat16 && !has_matrix_units() && fills_vectors(s) && s.kernelHeight * s.kernelWidth > 1;
    return taps ? GradientBy::Taps : GradientBy::Nothing;
}

// The points of filters for Winograd's method, in the type of the maps that they meet. `s` is seen from the side that
// is computed; rotated, from the output's.
Buffer points_of(Element element, const ConvShape& s, const float* weight, bool rotated) {
    int64_t taps = s.kernelHeight, each = taps * taps;
    Buffer points = buffer(size_of(element) * Points * Points * padded(s.channels) * padded(s.filters));
    FilterShape shape{
        s.filters, s.channels, taps, rotated ? each : s.channels * each, rotated ? s.filters * each : each, rotated};
    kernels().winograd_filters(element, shape, weight, points.get());
    return points;
}

void by_winograd(Element element, const ConvShape& s, const void* x, const float* weight, const ConvEnd& end, void* y,
                 bool rotated) {
    Buffer points = points_of(element, s, weight, rotated);
    kernels().winograd(element, s, x, points.get(), end, y);
}

} // namespace

int32_t cnnspec_conv_has(int32_t element_, const cnnspec_conv* shape, int32_t product) {
    const Element element = element_of(element_);
    const ConvShape s = shape_of(*shape);
    switch (product) {
    case CNNSPEC_CONV_OUTPUT:
        return is_image(s) || winograd_pays(element, s);
    case CNNSPEC_CONV_INPUT_GRADIENT:
        return winograd_pays(element, reversed(s));
    case CNNSPEC_CONV_WEIGHT_GRADIENT:
        return weight_gradient_by(element, s) != GradientBy::Nothing;
    default:
        return 0;
    }
}

int32_t cnnspec_conv_output(int32_t element_, const cnnspec_conv* shape, const void* x, const float* weight,
                            const float* bias, void* y) {
    return guarded([&] {
        const Element element = element_of(element_);
        const ConvShape s = shape_of(*shape);
        const ConvEnd end{bias, /*addend=*/nullptr, /*relu=*/false};
        if (is_image(s))
            kernels().image(element, s, x, weight, end, y);
        else if (winograd_fits(element, s))
            by_winograd(element, s, x, weight, end, y, /*rotated=*/false);
        else
            return CNNSPEC_UNSUPPORTED;
        return CNNSPEC_OK;
    });
}

int32_t cnnspec_conv_input_gradient(int32_t element_, const cnnspec_conv* shape, const void* dy, const float* weight,
                                    const void* passed, void* dx) {
    return guarded([&] {
        const Element element = element_of(element_);
        const ConvShape s = reversed(shape_of(*shape));
        if (!winograd_fits(element, s))
            return CNNSPEC_UNSUPPORTED;
        by_winograd(element, s, dy, weight, {/*bias=*/nullptr, passed, /*relu=*/false}, dx, /*rotated=*/true);
        return CNNSPEC_OK;
    });
}

int32_t cnnspec_conv_weight_gradient(int32_t element_, const cnnspec_conv* shape, const void* x, const void* dy,
                                     float* dweight) {
    return guarded([&] {
        const Element element = element_of(element_);
        const ConvShape s = shape_of(*shape);
        switch (weight_gradient_by(element, s)) {
        case GradientBy::Image:
            kernels().image_gradient(element, s, x, dy, dweight);
            break;
        case GradientBy::Winograd:
            kernels().winograd_gradient(element, s, x, dy, dweight);
            break;
        case GradientBy::Taps:
            kernels().filter_gradient(s, x, dy, dweight);
            break;
        case GradientBy::Nothing:
            return CNNSPEC_UNSUPPORTED;
        }
        return CNNSPEC_OK;
    });
}

struct cnnspec_prepared {
    Element element;
    Buffer points; // for Winograd's method
    Buffer packed; // for the direct one; of images of one channel, the filters as they are
};

namespace {

constexpr int64_t MostPacked = 1 << 18, MostProducts = 1 << 23;

int64_t products(const ConvShape& s) {
    return s.images * s.outHeight * s.outWidth * s.filters * s.channels * s.kernelHeight * s.kernelWidth;
}

bool by_points(const cnnspec_prepared& prepared, const ConvShape& s) {
    return prepared.points && winograd_saves(s) && tiles_of(s) >= 16;
}

} // namespace

int32_t cnnspec_conv_prepare(int32_t element_, const cnnspec_conv* shape, const float* weight,
                             cnnspec_prepared** prepared) {
    *prepared = nullptr;
    return guarded([&] {
        const Element element = element_of(element_);
        const ConvShape s = shape_of(*shape);
        const int64_t values = s.filters * s.channels * s.kernelHeight * s.kernelWidth;
        std::unique_ptr<cnnspec_prepared> made(new cnnspec_prepared{element, nullptr, nullptr});
        if (is_image(s)) {
            made->packed = buffer(4 * values);
            std::copy_n(weight, values, static_cast<float*>(made->packed.get()));
        } else {
            if (winograd_fits(element, s))
                made->points = points_of(element, s, weight, /*rotated=*/false);
            if (kernels().direct && values <= MostPacked) {
                made->packed = buffer(size_of(element) * kernels().packed_size(element, s));
                kernels().pack_filters(element, s, weight, made->packed.get());
            }
        }
        if (made->points || made->packed)
            *prepared = made.release();
        return CNNSPEC_OK;
    });
}

int32_t cnnspec_prepared_has(const cnnspec_prepared* prepared, const cnnspec_conv* shape) {
    const ConvShape s = shape_of(*shape);
    return by_points(*prepared, s) || (prepared->packed && (is_image(s) || products(s) <= MostProducts));
}

int32_t cnnspec_prepared_run(const cnnspec_prepared* prepared, const cnnspec_conv* shape, const void* x,
                             const float* bias, const void* addend, int32_t relu, void* y) {
    return guarded([&] {
        const ConvShape s = shape_of(*shape);
        const ConvEnd end{bias, addend, relu != 0};
        if (is_image(s))
            kernels().image(prepared->element, s, x, static_cast<const float*>(prepared->packed.get()), end, y);
        else if (by_points(*prepared, s))
            kernels().winograd(prepared->element, s, x, prepared->points.get(), end, y);
        else if (prepared->packed)
            kernels().direct(prepared->element, s, x, prepared->packed.get(), end, y);
        else
            return CNNSPEC_UNSUPPORTED;
        return CNNSPEC_OK;
    });
}

void cnnspec_prepared_free(cnnspec_prepared* prepared) {
    delete prepared;
}
