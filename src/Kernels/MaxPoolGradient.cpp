// The gradient of max pooling: each input gathers from the windows that hold it, so no two threads write one value.
#include "ColumnPairs.h"
#include "Rows.h"
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
    return sum + where(chosen, value);
#endif
}

// Where gradients come from and go to, and what is added to them, if anything.
template <typename T> struct Maps {
    const T* dy;
    const uint8_t* position;
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
template <typename T> void gather(const PoolShape& shape, const Maps<T>& all) {
    std::vector<Holders> across;
    for (int64_t w = 0; w < shape.width; w++)
        across.emplace_back(w, shape.padLeft, shape.kernelWidth, shape.strideWidth, shape.outWidth);
    parallel_tasks(shape.images * shape.height, [&](int64_t task) {
        const PoolShape s = shape; // copies, which no store can reach
        const Maps<T> maps = all;
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
                        sum = add_chosen(sum, load(maps.dy + at, lanes), maps.position + at, mine, lanes);
                    }
                }
                maps.write((task * s.width + iw) * s.channels + c, sum, lanes);
            }
        }
    });
}

// Vectors of channels that go along a row together: whole lines of the cache, and as many sums as there are registers.
constexpr int64_t Abreast = Lanes == 16 ? 4 : 2;

// The inputs of one row in Count vectors of channels from `c` on, the last of them of `last` channels: window by window
// along the row, with sums in registers while windows hold them. An output is read once for each of its rows. GCC keeps
// the sums in registers only where it unrolls each loop over them before anything else.
template <int Width, int Stride, int Count, typename T>
void sweep_row(const PoolShape& shape, const Maps<T>& all, int64_t task, int64_t c, int64_t last) {
    static_assert(Stride <= Width, "inputs between windows");
    const PoolShape s = shape; // copies, which no store can reach
    const Maps<T> maps = all;
    const int64_t image = task / s.height, ih = task % s.height, pitch = s.outWidth * s.channels;
    const Holders rows(ih, s.padTop, s.kernelHeight, s.strideHeight, s.outHeight);
    const int64_t height = rows.last - rows.first, from = (image * s.outHeight + rows.first) * pitch + c;
    const auto highest = static_cast<int>((ih + s.padTop - rows.first * s.strideHeight) * Width);
    const auto lower = static_cast<int>(s.strideHeight * Width);

    Vector sums[Width][Count] = {};
    auto lanes = [&](int v) { return v + 1 < Count ? Lanes : last; };
    auto write = [&](int64_t column, const Vector sum[Count]) __attribute__((always_inline)) {
        if (column < 0 || column >= s.width)
            return;
        int64_t at = (task * s.width + column) * s.channels + c;
#pragma GCC unroll 4
        for (int v = 0; v < Count; v++)
            maps.write(at + v * Lanes, sum[v], lanes(v));
    };

    int64_t start = -s.padLeft;
    for (int64_t ow = 0; ow < s.outWidth; ow++, start += Stride) {
        int mine = highest;
        for (int64_t row = 0; row < height; row++, mine -= lower) {
            int64_t at = from + row * pitch + ow * s.channels;
#pragma GCC unroll 4
            for (int v = 0; v < Count; v++) {
                Vector gradient = load(maps.dy + at + v * Lanes, lanes(v));
#pragma GCC unroll 3
                for (int q = 0; q < Width; q++)
                    sums[q][v] = add_chosen(sums[q][v], gradient, maps.position + at + v * Lanes, mine + q, lanes(v));
            }
        }
#pragma GCC unroll 3
        for (int q = 0; q < Stride; q++)
            write(start + q, sums[q]);
#pragma GCC unroll 3
        for (int q = 0; q < Width; q++)
#pragma GCC unroll 4
            for (int v = 0; v < Count; v++)
                sums[q][v] = q + Stride < Width ? sums[(q + Stride) % Width][v] : Vector{};
    }
#pragma GCC unroll 3
    for (int q = 0; q < Width - Stride; q++)
        write(start + q, sums[q]);
    const Vector none[Count] = {};
    for (int64_t column = start + Width - Stride; column < s.width; column++)
        write(column, none);
}

template <int Width, int Stride, typename T> void sweep(const PoolShape& s, const Maps<T>& maps) {
    parallel_tasks(s.images * s.height, [&](int64_t row) {
        each_block<Abreast>(s.channels, Abreast, [&](auto count, int64_t c, int64_t last) {
            sweep_row<Width, Stride, decltype(count)::value>(s, maps, row, c, last);
        });
    });
}

#if defined(__AVX512F__)
// Windows of two columns that follow each other without a gap, on few channels: no input is in two of them, so
// gradients are only put where they belong, several columns at a time.
template <typename T> class Placing {
    using Bits = std::conditional_t<sizeof(T) == 2, int16_t, int32_t>;
    static constexpr int64_t Count = ColumnPairs<Bits>::Count;
    typedef Bits Keys __attribute__((vector_size(64)));
    const PoolShape s;
    const Maps<T> maps;
    const ColumnPairs<Bits> pairs;

    static uint64_t first(int64_t count) { return count >= Count ? ~0ull : count <= 0 ? 0 : (1ull << count) - 1; }

    static __m512i read(const T* from, int64_t count) {
        if constexpr (sizeof(T) == 2)
            return _mm512_maskz_loadu_epi16(static_cast<__mmask32>(first(count)), from);
        else
            return _mm512_maskz_loadu_epi32(static_cast<__mmask16>(first(count)), from);
    }

    static __m512i read_places(const uint8_t* from, int64_t count) {
        if constexpr (sizeof(T) == 2)
            return _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(static_cast<__mmask32>(first(count)), from));
        else
            return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(static_cast<__mmask16>(first(count)), from));
    }

    static void put(T* to, __m512i gradient, __m512i place, Keys mine, int64_t count) {
        if constexpr (sizeof(T) == 2)
            _mm512_mask_storeu_epi16(to, static_cast<__mmask32>(first(count)),
                                     _mm512_maskz_mov_epi16(_mm512_cmpeq_epi16_mask(place, (__m512i)mine), gradient));
        else
            _mm512_mask_storeu_epi32(to, static_cast<__mmask16>(first(count)),
                                     _mm512_maskz_mov_epi32(_mm512_cmpeq_epi32_mask(place, (__m512i)mine), gradient));
    }

public:
    static bool fits(const PoolShape& s, const Maps<T>& maps) {
        return s.kernelWidth == 2 && s.strideWidth == 2 && s.padLeft == 0 && s.kernelHeight == s.strideHeight &&
               s.padTop == 0 && maps.passed == nullptr && ColumnPairs<Bits>::fit(s.channels) &&
               2 * s.outWidth <= s.width && s.kernelHeight * s.outHeight <= s.height;
    }

    Placing(const PoolShape& s, const Maps<T>& maps) : s(s), maps(maps), pairs(s.channels) {}

    void image(int64_t image) const {
        const int64_t pitch = s.width * s.channels, outputs = s.outWidth * s.channels;
        T* const dx = maps.dx + image * s.height * pitch;
        for (int64_t oh = 0; oh < s.outHeight; oh++) {
            const int64_t from = (image * s.outHeight + oh) * outputs;
            T* const to = dx + oh * s.kernelHeight * pitch;
            for (int64_t i = 0; i < outputs; i += pairs.width) {
                const int64_t count = std::min(pairs.width, outputs - i);
                const __m512i gradient = read(maps.dy + from + i, count);
                const __m512i place = read_places(maps.position + from + i, count);
                const __m512i low = pairs.low(gradient), high = pairs.high(gradient);
                const __m512i placeLow = pairs.low(place), placeHigh = pairs.high(place);
                for (int64_t row = 0; row < s.kernelHeight; row++) {
                    const Keys mine = Keys{} + static_cast<Bits>(2 * row);
                    T* const here = to + row * pitch + 2 * i;
                    put(here, low, placeLow, mine + pairs.secondLow, 2 * count);
                    put(here + Count, high, placeHigh, mine + pairs.secondHigh, 2 * count - Count);
                }
            }
            for (int64_t row = 0; row < s.kernelHeight; row++)
                std::memset(to + row * pitch + 2 * outputs, 0, (pitch - 2 * outputs) * sizeof(T));
        }
        const int64_t seen = s.outHeight * s.kernelHeight;
        std::memset(dx + seen * pitch, 0, (s.height - seen) * pitch * sizeof(T));
    }
};
#endif

template <typename T>
void input_of(const PoolShape& s, const void* dy, const uint8_t* position, const void* passed, void* dx) {
    Maps<T> maps{static_cast<const T*>(dy), position, static_cast<const T*>(passed), static_cast<T*>(dx)};
#if defined(__AVX512F__)
    if (Placing<T>::fits(s, maps)) {
        Placing<T> placing(s, maps);
        return parallel_tasks(s.images, [&](int64_t image) { placing.image(image); });
    }
#endif
    if (s.kernelWidth == 3 && s.strideWidth == 1)
        sweep<3, 1>(s, maps);
    else if (s.kernelWidth == 3 && s.strideWidth == 2)
        sweep<3, 2>(s, maps);
    else if (s.kernelWidth == 2 && s.strideWidth == 2)
        sweep<2, 2>(s, maps);
    else
        gather(s, maps);
}

void max_pool_input(Element element, const PoolShape& s, const void* dy, const uint8_t* position, const void* passed,
                    void* dx) {
    (element == Element::Float32 ? input_of<float> : input_of<BFloat16>)(s, dy, position, passed, dx);
}

} // namespace

void add_pooling_gradient(Kernels& table) {
    table.max_pool_input = max_pool_input;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
