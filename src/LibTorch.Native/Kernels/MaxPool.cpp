// Max pooling of [N,H,W,C], with ReLU after it where asked: vectors run along the channels.
#include "Level.h"
#include "Vectors.h"
#include <algorithm>
#include <limits>
#include <vector>

namespace cnnspec {
namespace CNNSPEC_LEVEL {
namespace {

inline void store_positions(uint8_t* to, Integers positions, int64_t count) {
#if defined(__AVX512F__)
    auto some = static_cast<__mmask16>((1u << count) - 1);
    _mm_mask_storeu_epi8(to, some, _mm512_cvtepi32_epi8((__m512i)positions));
#else
    Bytes bytes = __builtin_convertvector(positions, Bytes);
    std::memcpy(to, &bytes, count);
#endif
}

// sum + value in the lanes whose position is `mine`.
inline Vector add_chosen(Vector sum, Vector value, const uint8_t* position, int mine, int64_t count) {
#if defined(__AVX512F__)
    __m128i bytes = _mm_maskz_loadu_epi8(static_cast<__mmask16>((1u << count) - 1), position);
    __mmask16 chosen = _mm_cmpeq_epi8_mask(bytes, _mm_set1_epi8(static_cast<char>(mine)));
    return (Vector)_mm512_mask_add_ps((__m512)sum, chosen, (__m512)sum, (__m512)value);
#else
    Bytes bytes = {};
    std::memcpy(&bytes, position, count);
    auto chosen = (Integers)(__builtin_convertvector(bytes, Integers) == Integers{} + mine);
    return sum + where(chosen, value, Vector{});
#endif
}

// A window's rows or columns that lie on the map.
struct Span {
    int64_t start, first, last;
    Span(int64_t out, int64_t stride, int64_t pad, int64_t kernel, int64_t size)
        : start(out * stride - pad), first(std::max<int64_t>(0, -start)), last(std::min(kernel, size - start)) {}
};

void windows_direct(const PoolShape& shape, bool relu, const float* x, float* y, uint8_t* position) {
    parallel_tasks(shape.images * shape.outHeight, [&](int64_t task) {
        const PoolShape s = shape; // a copy, which no store can reach
        const float* from = x + task / s.outHeight * s.height * s.width * s.channels;
        Span rows(task % s.outHeight, s.strideHeight, s.padTop, s.kernelHeight, s.height);
        for (int64_t ow = 0; ow < s.outWidth; ow++) {
            Span columns(ow, s.strideWidth, s.padLeft, s.kernelWidth, s.width);
            int64_t out = (task * s.outWidth + ow) * s.channels;
            for (int64_t c = 0; c < s.channels; c += Lanes) {
                int64_t lanes = std::min(Lanes, s.channels - c);
                Vector best = splat(-std::numeric_limits<float>::infinity());
                Integers place = Integers{} + static_cast<int32_t>(rows.first * s.kernelWidth + columns.first);
                for (int64_t r = rows.first; r < rows.last; r++) {
                    for (int64_t q = columns.first; q < columns.last; q++) {
                        int64_t at = (rows.start + r) * s.width + columns.start + q;
                        Vector value = load(from + at * s.channels + c, lanes);
                        // A NaN wins, as in libtorch.
                        Integers wins = (Integers)(value > best) | (Integers)(value != value);
                        best = where(wins, value, best);
                        Integers here = Integers{} + static_cast<int32_t>(r * s.kernelWidth + q);
                        place = (wins & here) | (~wins & place);
                    }
                }
                store(y + out + c, relu ? positive_part(best) : best, lanes);
                if (position != nullptr)
                    store_positions(position + out + c, place, lanes);
            }
        }
    });
}

// A bfloat16 fills half a word. With its bits turned so that they sort as integers do, and 255 less the place in the
// window below them, the largest word is the first of the largest values and says where it was. So maxima of columns
// can be taken first and be shared by the windows that overlap.
inline Integers sortable(Vector value) {
    Integers bits = reinterpret<Integers>(value);
    bits &= ~(Integers)(value != value) | 0x7fffffff; // a NaN wins, as in libtorch, whatever its sign
    return bits ^ ((bits >> 31) & 0x7fff0000);
}

inline Vector value_of(Integers key) {
    Integers bits = key & static_cast<int32_t>(0xffff0000);
    return reinterpret<Vector>(bits ^ ((bits >> 31) & 0x7fff0000));
}

inline Integers larger(Integers left, Integers right) {
#if defined(__AVX512F__)
    return (Integers)_mm512_max_epi32((__m512i)left, (__m512i)right);
#else
    Integers greater = (Integers)(left > right);
    return (greater & left) | (~greater & right);
#endif
}

void windows_by_columns(const PoolShape& shape, bool relu, const BFloat16* x, BFloat16* y, uint8_t* position) {
    const Integers least = Integers{} + std::numeric_limits<int32_t>::min();
    parallel_tasks(shape.images * shape.outHeight, [&](int64_t task) {
        const PoolShape s = shape; // a copy, which no store can reach
        const BFloat16* from = x + task / s.outHeight * s.height * s.width * s.channels;
        Span rows(task % s.outHeight, s.strideHeight, s.padTop, s.kernelHeight, s.height);
        // The maxima of columns, for whole vectors: where a row's pixels end does not matter yet.
        int64_t values = s.width * s.channels;
        std::vector<int32_t> columns(values + Lanes);
        for (int64_t i = 0; i < values; i += Lanes) {
            int64_t lanes = std::min(Lanes, values - i);
            Integers best = least;
            for (int64_t r = rows.first; r < rows.last; r++) {
                Vector value = load(from + (rows.start + r) * values + i, lanes);
                best = larger(best, sortable(value) + static_cast<int32_t>(255 - r * s.kernelWidth));
            }
            std::memcpy(columns.data() + i, &best, sizeof best);
        }
        for (int64_t ow = 0; ow < s.outWidth; ow++) {
            Span across(ow, s.strideWidth, s.padLeft, s.kernelWidth, s.width);
            const int32_t* window = columns.data() + across.start * s.channels;
            for (int64_t c = 0; c < s.channels; c += Lanes) {
                int64_t lanes = std::min(Lanes, s.channels - c);
                Integers best = least;
                for (int64_t q = across.first; q < across.last; q++) {
                    Integers column;
                    std::memcpy(&column, window + q * s.channels + c, sizeof column);
                    best = larger(best, column - static_cast<int32_t>(q));
                }
                int64_t out = (task * s.outWidth + ow) * s.channels + c;
                Vector value = value_of(best);
                store(y + out, relu ? positive_part(value) : value, lanes);
                if (position != nullptr)
                    store_positions(position + out, 255 - (best & 255), lanes);
            }
        }
    });
}

// The windows that hold an input row or column: from `first` to before `last`.
struct Holders {
    int64_t first, last;
    Holders(int64_t at, int64_t pad, int64_t kernel, int64_t stride, int64_t count) {
        int64_t reach = at + pad - kernel + 1;
        first = reach <= 0 ? 0 : (reach + stride - 1) / stride;
        last = std::min(count, (at + pad) / stride + 1);
    }
};

// Each input gathers from the windows that hold it, so no two threads write one value. Where `y` is given, ReLU came
// after, and what it cut off passes nothing on.
template <typename T> void gather(const PoolShape& shape, const T* dy, const T* y, const uint8_t* position, T* dx) {
    std::vector<Holders> across;
    for (int64_t w = 0; w < shape.width; w++)
        across.emplace_back(w, shape.padLeft, shape.kernelWidth, shape.strideWidth, shape.outWidth);
    parallel_tasks(shape.images * shape.height, [&](int64_t task) {
        const PoolShape s = shape; // a copy, which no store can reach
        int64_t image = task / s.height, ih = task % s.height;
        Holders rows(ih, s.padTop, s.kernelHeight, s.strideHeight, s.outHeight);
        for (int64_t iw = 0; iw < s.width; iw++) {
            Holders columns = across[iw];
            for (int64_t c = 0; c < s.channels; c += Lanes) {
                int64_t lanes = std::min(Lanes, s.channels - c);
                Vector sum = {};
                for (int64_t oh = rows.first; oh < rows.last; oh++) {
                    for (int64_t ow = columns.first; ow < columns.last; ow++) {
                        int64_t out = ((image * s.outHeight + oh) * s.outWidth + ow) * s.channels + c;
                        auto mine = static_cast<int>((ih + s.padTop - oh * s.strideHeight) * s.kernelWidth + iw +
                                                     s.padLeft - ow * s.strideWidth);
                        Vector gradient = load(dy + out, lanes);
                        if (y != nullptr)
                            gradient = where(above(load(y + out, lanes), Vector{}), gradient, Vector{});
                        sum = add_chosen(sum, gradient, position + out, mine, lanes);
                    }
                }
                store(dx + (task * s.width + iw) * s.channels + c, sum, lanes);
            }
        }
    });
}

void max_pool(Element element, const PoolShape& shape, bool relu, const void* x, void* y, uint8_t* position) {
    if (element == Element::Float32)
        windows_direct(shape, relu, static_cast<const float*>(x), static_cast<float*>(y), position);
    else
        windows_by_columns(shape, relu, static_cast<const BFloat16*>(x), static_cast<BFloat16*>(y), position);
}

void max_pool_input(Element element, const PoolShape& shape, const void* dy, const void* y, const uint8_t* position,
                    void* dx) {
    if (element == Element::Float32)
        gather(shape, static_cast<const float*>(dy), static_cast<const float*>(y), position, static_cast<float*>(dx));
    else
        gather(shape, static_cast<const BFloat16*>(dy), static_cast<const BFloat16*>(y), position,
               static_cast<BFloat16*>(dx));
}

} // namespace

void add_pooling(Kernels& table) {
    table.max_pool = max_pool;
    table.max_pool_input = max_pool_input;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
