// Max pooling of [N,H,W,C]: vectors run along the channels.
#include "Level.h"
#include "Vectors.h"
#include <algorithm>
#include <limits>

namespace cnnspec {
namespace CNNSPEC_LEVEL {
namespace {

inline void store_positions(uint8_t* to, Integers positions, int64_t count) {
    Bytes bytes = __builtin_convertvector(positions, Bytes);
    std::memcpy(to, &bytes, count);
}

inline Integers load_positions(const uint8_t* from, int64_t count) {
    Bytes bytes = {};
    if (count == Lanes)
        std::memcpy(&bytes, from, Lanes);
    else
        std::memcpy(&bytes, from, count);
    return __builtin_convertvector(bytes, Integers);
}

template <typename T> void forward(const PoolShape& s, const T* x, T* y, uint8_t* position) {
    parallel_tasks(s.images * s.outHeight, [&](int64_t task) {
        int64_t image = task / s.outHeight, oh = task % s.outHeight;
        const T* from = x + image * s.height * s.width * s.channels;
        int64_t top = oh * s.strideHeight - s.padTop;
        int64_t firstRow = std::max<int64_t>(0, -top), lastRow = std::min(s.kernelHeight, s.height - top);
        for (int64_t ow = 0; ow < s.outWidth; ow++) {
            int64_t left = ow * s.strideWidth - s.padLeft;
            int64_t firstColumn = std::max<int64_t>(0, -left), lastColumn = std::min(s.kernelWidth, s.width - left);
            int64_t out = (task * s.outWidth + ow) * s.channels;
            for (int64_t c = 0; c < s.channels; c += Lanes) {
                int64_t lanes = std::min(Lanes, s.channels - c);
                Vector best = splat(-std::numeric_limits<float>::infinity());
                Integers where_ = Integers{} + static_cast<int32_t>(firstRow * s.kernelWidth + firstColumn);
                for (int64_t r = firstRow; r < lastRow; r++) {
                    for (int64_t q = firstColumn; q < lastColumn; q++) {
                        Vector value = load(from + ((top + r) * s.width + left + q) * s.channels + c, lanes);
                        // A NaN wins, as in libtorch.
                        Integers wins = (Integers)(value > best) | (Integers)(value != value);
                        best = where(wins, value, best);
                        Integers here = Integers{} + static_cast<int32_t>(r * s.kernelWidth + q);
                        where_ = (wins & here) | (~wins & where_);
                    }
                }
                store(y + out + c, best, lanes);
                if (position != nullptr)
                    store_positions(position + out + c, where_, lanes);
            }
        }
    });
}

// The windows that hold an input row or column: from `first` to before `last`.
struct Windows {
    int64_t first, last;
    Windows(int64_t at, int64_t pad, int64_t kernel, int64_t stride, int64_t count) {
        int64_t reach = at + pad - kernel + 1;
        first = reach <= 0 ? 0 : (reach + stride - 1) / stride;
        last = std::min(count, (at + pad) / stride + 1);
    }
};

// Each input gathers from the windows that hold it, so no two threads write one value.
template <typename T> void backward(const PoolShape& s, const T* dy, const uint8_t* position, T* dx) {
    parallel_tasks(s.images * s.height, [&](int64_t task) {
        int64_t image = task / s.height, ih = task % s.height;
        Windows rows(ih, s.padTop, s.kernelHeight, s.strideHeight, s.outHeight);
        for (int64_t iw = 0; iw < s.width; iw++) {
            Windows columns(iw, s.padLeft, s.kernelWidth, s.strideWidth, s.outWidth);
            for (int64_t c = 0; c < s.channels; c += Lanes) {
                int64_t lanes = std::min(Lanes, s.channels - c);
                Vector sum = {};
                for (int64_t oh = rows.first; oh < rows.last; oh++) {
                    for (int64_t ow = columns.first; ow < columns.last; ow++) {
                        int64_t out = ((image * s.outHeight + oh) * s.outWidth + ow) * s.channels + c;
                        auto mine = static_cast<int32_t>((ih + s.padTop - oh * s.strideHeight) * s.kernelWidth + iw +
                                                         s.padLeft - ow * s.strideWidth);
                        Integers chosen = (Integers)(load_positions(position + out, lanes) == Integers{} + mine);
                        sum += where(chosen, load(dy + out, lanes), Vector{});
                    }
                }
                store(dx + (task * s.width + iw) * s.channels + c, sum, lanes);
            }
        }
    });
}

void max_pool(Element element, const PoolShape& shape, const void* x, void* y, uint8_t* position) {
    if (element == Element::Float32)
        forward(shape, static_cast<const float*>(x), static_cast<float*>(y), position);
    else
        forward(shape, static_cast<const BFloat16*>(x), static_cast<BFloat16*>(y), position);
}

void max_pool_input(Element element, const PoolShape& shape, const void* dy, const uint8_t* position, void* dx) {
    if (element == Element::Float32)
        backward(shape, static_cast<const float*>(dy), position, static_cast<float*>(dx));
    else
        backward(shape, static_cast<const BFloat16*>(dy), position, static_cast<BFloat16*>(dx));
}

} // namespace

void add_pooling(Kernels& table) {
    table.max_pool = max_pool;
    table.max_pool_input = max_pool_input;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
