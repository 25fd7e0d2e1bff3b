// The gradient of max pooling: each input gathers from the windows that hold it, so no two threads write one value.
#include "Level.h"
#include "Vectors.h"
#include <algorithm>
#include <vector>

namespace cnnspec {
namespace CNNSPEC_LEVEL {
namespace {

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

// What the windows pass on. Where `y` is given, ReLU came after, and what it cut off passes nothing on.
template <typename T> struct Outputs {
    const T *dy, *y;
    const uint8_t* position;

    Vector gradient(int64_t at, int64_t lanes) const {
        Vector value = load(dy + at, lanes);
        return y == nullptr ? value : where(above(load(y + at, lanes), Vector{}), value, Vector{});
    }
};

// Where the gradient goes, and what is added to it, if anything.
template <typename T> struct Inputs {
    const T* passed;
    T* dx;

    void write(int64_t at, Vector sum, int64_t lanes) const {
        store(dx + at, passed == nullptr ? sum : sum + load(passed + at, lanes), lanes);
    }
};

// The windows that hold an input row or column: from `first` to before `last`.
struct Holders {
    int64_t first, last;
    Holders(int64_t at, int64_t pad, int64_t kernel, int64_t stride, int64_t count) {
        int64_t reach = at + pad - kernel + 1;
        first = reach <= 0 ? 0 : (reach + stride - 1) / stride;
        last = std::min(count, (at + pad) / stride + 1);
    }
};

// Input by input.
template <typename T> void gather(const PoolShape& shape, const Outputs<T>& from, const Inputs<T>& to) {
    std::vector<Holders> across;
    for (int64_t w = 0; w < shape.width; w++)
        across.emplace_back(w, shape.padLeft, shape.kernelWidth, shape.strideWidth, shape.outWidth);
    parallel_tasks(shape.images * shape.height, [&](int64_t task) {
        const PoolShape s = shape; // copies, which no store can reach
        const Outputs<T> outputs = from;
        const Inputs<T> inputs = to;
        int64_t image = task / s.height, ih = task % s.height;
        Holders rows(ih, s.padTop, s.kernelHeight, s.strideHeight, s.outHeight);
        for (int64_t iw = 0; iw < s.width; iw++) {
            Holders columns = across[iw];
            for (int64_t c = 0; c < s.channels; c += Lanes) {
                int64_t lanes = std::min(Lanes, s.channels - c);
                Vector sum = {};
                for (int64_t oh = rows.first; oh < rows.last; oh++) {
                    for (int64_t ow = columns.first; ow < columns.last; ow++) {
                        int64_t at = ((image * s.outHeight + oh) * s.outWidth + ow) * s.channels + c;
                        auto mine = static_cast<int>((ih + s.padTop - oh * s.strideHeight) * s.kernelWidth + iw +
                                                     s.padLeft - ow * s.strideWidth);
                        sum = add_chosen(sum, outputs.gradient(at, lanes), outputs.position + at, mine, lanes);
                    }
                }
                inputs.write((task * s.width + iw) * s.channels + c, sum, lanes);
            }
        }
    });
}

// Window by window along a row of inputs, whose sums are in registers while windows hold them: an output is read once
// for each of its rows.
template <int64_t Width, int64_t Stride, typename T>
void sweep(const PoolShape& shape, const Outputs<T>& from, const Inputs<T>& to) {
    static_assert(Stride <= Width, "inputs between windows");
    parallel_tasks(shape.images * shape.height, [&](int64_t task) {
        const PoolShape s = shape; // copies, which no store can reach
        const Outputs<T> outputs = from;
        const Inputs<T> inputs = to;
        int64_t image = task / s.height, ih = task % s.height;
        Holders rows(ih, s.padTop, s.kernelHeight, s.strideHeight, s.outHeight);
        for (int64_t c = 0; c < s.channels; c += Lanes) {
            int64_t lanes = std::min(Lanes, s.channels - c), start = -s.padLeft;
            Vector sums[Width] = {};
            auto write = [&](int64_t column, Vector sum) {
                if (column >= 0 && column < s.width)
                    inputs.write((task * s.width + column) * s.channels + c, sum, lanes);
            };
            for (int64_t ow = 0; ow < s.outWidth; ow++, start += Stride) {
                for (int64_t oh = rows.first; oh < rows.last; oh++) {
                    int64_t at = ((image * s.outHeight + oh) * s.outWidth + ow) * s.channels + c;
                    Vector gradient = outputs.gradient(at, lanes);
                    auto mine = static_cast<int>((ih + s.padTop - oh * s.strideHeight) * Width);
                    for (int64_t q = 0; q < Width; q++)
                        sums[q] =
                            add_chosen(sums[q], gradient, outputs.position + at, mine + static_cast<int>(q), lanes);
                }
                for (int64_t q = 0; q < Stride; q++)
                    write(start + q, sums[q]);
                for (int64_t q = 0; q < Width; q++)
                    sums[q] = q + Stride < Width ? sums[q + Stride] : Vector{};
            }
            for (int64_t q = 0; q < Width - Stride; q++)
                write(start + q, sums[q]);
            for (int64_t column = start + Width - Stride; column < s.width; column++)
                write(column, Vector{});
        }
    });
}

template <typename T> void input_of(const PoolShape& s, const Outputs<T>& from, const Inputs<T>& to) {
    if (s.kernelWidth == 3 && s.strideWidth == 1)
        sweep<3, 1>(s, from, to);
    else if (s.kernelWidth == 3 && s.strideWidth == 2)
        sweep<3, 2>(s, from, to);
    else if (s.kernelWidth == 2 && s.strideWidth == 2)
        sweep<2, 2>(s, from, to);
    else
        gather(s, from, to);
}

template <typename T>
void input_as(const PoolShape& s, const void* dy, const void* y, const uint8_t* position, const void* passed,
              void* dx) {
    input_of(s, Outputs<T>{static_cast<const T*>(dy), static_cast<const T*>(y), position},
             Inputs<T>{static_cast<const T*>(passed), static_cast<T*>(dx)});
}

void max_pool_input(Element element, const PoolShape& s, const void* dy, const void* y, const uint8_t* position,
                    const void* passed, void* dx) {
    element == Element::Float32 ? input_as<float>(s, dy, y, position, passed, dx)
                                : input_as<BFloat16>(s, dy, y, position, passed, dx);
}

} // namespace

void add_pooling_gradient(Kernels& table) {
    table.max_pool_input = max_pool_input;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
