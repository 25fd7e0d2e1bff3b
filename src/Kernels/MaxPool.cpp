// Max pooling of [N,H,W,C], with ReLU after it where asked: maxima of rows first, which the windows below each other
// share, then of columns. Values are compared as integers that sort as they do, so a vector holds 32 of bfloat16.
#include "ColumnPairs.h"
#include "Level.h"
#include "Vectors.h"
#include <algorithm>
#include <limits>
#include <vector>

namespace cnnspec {
namespace CNNSPEC_LEVEL {
namespace {

// Integers as wide as the elements, and what their bits mean.
template <typename T> struct Keyed;

template <> struct Keyed<float> {
    typedef int32_t Key;
    static constexpr int64_t Count = Lanes;
    typedef Integers Keys;
    static constexpr Key Sign = 31, Magnitude = 0x7fffffff, Infinity = 0x7f800000;
};

template <> struct Keyed<BFloat16> {
    typedef int16_t Key;
    static constexpr int64_t Count = 2 * Lanes;
    typedef int16_t Keys __attribute__((vector_size(Lanes * 4)));
    static constexpr Key Sign = 15, Magnitude = 0x7fff, Infinity = 0x7f80;
};

typedef Keyed<BFloat16>::Keys Shorts;

// `place` follows where a value is larger than the best so far: of equal ones the first stays.
#if defined(__AVX512F__)
inline void take_larger(Integers& best, Integers& place, Integers value, Integers here) {
    __mmask16 larger = _mm512_cmpgt_epi32_mask((__m512i)value, (__m512i)best);
    best = (Integers)_mm512_max_epi32((__m512i)best, (__m512i)value);
    place = (Integers)_mm512_mask_mov_epi32((__m512i)place, larger, (__m512i)here);
}

inline void take_larger(Shorts& best, Shorts& place, Shorts value, Shorts here) {
    __mmask32 larger = _mm512_cmpgt_epi16_mask((__m512i)value, (__m512i)best);
    best = (Shorts)_mm512_max_epi16((__m512i)best, (__m512i)value);
    place = (Shorts)_mm512_mask_mov_epi16((__m512i)place, larger, (__m512i)here);
}

inline Integers larger(Integers left, Integers right) {
    return (Integers)_mm512_max_epi32((__m512i)left, (__m512i)right);
}

inline Shorts larger(Shorts left, Shorts right) {
    return (Shorts)_mm512_max_epi16((__m512i)left, (__m512i)right);
}

inline Shorts without_sign_of_nan(Shorts bits) {
    __m512i magnitude = _mm512_and_si512((__m512i)bits, _mm512_set1_epi16(0x7fff));
    __mmask32 nan = _mm512_cmpgt_epi16_mask(magnitude, _mm512_set1_epi16(0x7f80));
    return (Shorts)_mm512_mask_mov_epi16((__m512i)bits, nan, magnitude);
}

inline Integers without_sign_of_nan(Integers bits) {
    __m512i magnitude = _mm512_and_si512((__m512i)bits, _mm512_set1_epi32(0x7fffffff));
    __mmask16 nan = _mm512_cmpgt_epi32_mask(magnitude, _mm512_set1_epi32(0x7f800000));
    return (Integers)_mm512_mask_mov_epi32((__m512i)bits, nan, magnitude);
}

inline Integers kept_above(Integers place, Integers value, Integers floor) {
    __mmask16 above = _mm512_cmpgt_epi32_mask((__m512i)value, (__m512i)floor);
    return (Integers)_mm512_mask_mov_epi32(_mm512_set1_epi32(Nowhere), above, (__m512i)place);
}

inline Shorts kept_above(Shorts place, Shorts value, Shorts floor) {
    __mmask32 above = _mm512_cmpgt_epi16_mask((__m512i)value, (__m512i)floor);
    return (Shorts)_mm512_mask_mov_epi16(_mm512_set1_epi16(Nowhere), above, (__m512i)place);
}

inline void store_bytes(uint8_t* to, Integers values) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtepi32_epi8((__m512i)values));
}

inline void store_bytes(uint8_t* to, Shorts values) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi16_epi8((__m512i)values));
}
#else
template <typename Keys> inline void take_larger(Keys& best, Keys& place, Keys value, Keys here) {
    Keys larger = (Keys)(value > best);
    best = (larger & value) | (~larger & best);
    place = (larger & here) | (~larger & place);
}

template <typename Keys> inline Keys larger(Keys left, Keys right) {
    Keys above = (Keys)(left > right);
    return (above & left) | (~above & right);
}

template <typename Keys> inline Keys without_sign_of_nan(Keys bits) {
    typedef Keyed<std::conditional_t<std::is_same<Keys, Integers>::value, float, BFloat16>> K;
    return bits & ~((Keys)((bits & K::Magnitude) > K::Infinity) & ~(Keys{} + K::Magnitude));
}

template <typename Keys> inline Keys kept_above(Keys place, Keys value, Keys floor) {
    Keys above = (Keys)(value > floor);
    return (above & place) | (~above & Nowhere);
}

template <typename Keys> inline void store_bytes(uint8_t* to, Keys values) {
    constexpr int64_t Count = std::is_same<Keys, Integers>::value ? Lanes : 2 * Lanes;
    typedef uint8_t Bytes __attribute__((vector_size(Count)));
    Bytes bytes = __builtin_convertvector(values, Bytes);
    std::memcpy(to, &bytes, sizeof bytes);
}
#endif

// Negative numbers sort the other way round than their bits; turning those is its own inverse.
template <typename T> inline typename Keyed<T>::Keys turned(typename Keyed<T>::Keys bits) {
    return bits ^ ((bits >> Keyed<T>::Sign) & Keyed<T>::Magnitude);
}

// Integers that sort as the values do. A NaN is the largest, as in libtorch, whatever its sign.
template <typename T> inline typename Keyed<T>::Keys sortable(typename Keyed<T>::Keys bits) {
    return turned<T>(without_sign_of_nan(bits));
}

template <typename Keys, typename From> inline Keys read(const From* from) {
    Keys keys;
    std::memcpy(&keys, from, sizeof keys);
    return keys;
}

// A window's rows or columns that lie on the map.
struct Span {
    int64_t start, first, last;
    Span(int64_t out, int64_t stride, int64_t pad, int64_t kernel, int64_t size)
        : start(out * stride - pad), first(std::max<int64_t>(0, -start)), last(std::min(kernel, size - start)) {}
};

// Outputs of a row whose windows are cut alike and whose inputs follow each other as they do.
struct Run {
    int64_t begin, count;
    Span across;
};

// Rows of inputs are taken apart into this many, of every so many columns.
template <typename T> int64_t phases_of([[maybe_unused]] const PoolShape& s) {
#if defined(__AVX512F__)
    if (s.strideWidth == 2 && ColumnPairs<typename Keyed<T>::Key>::fit(s.channels))
        return 2;
#endif
    return 1;
}

std::vector<Run> runs_of(const PoolShape& s, int64_t phases) {
    std::vector<Run> runs;
    for (int64_t ow = 0; ow < s.outWidth; ow++) {
        Span across(ow, s.strideWidth, s.padLeft, s.kernelWidth, s.width);
        bool joins = s.strideWidth == phases && !runs.empty() && runs.back().across.first == across.first &&
                     runs.back().across.last == across.last;
        if (joins)
            runs.back().count++;
        else
            runs.push_back({ow, 1, across});
    }
    return runs;
}

// Some rows of one image's outputs. Vectors run over the ends of what they stand for into `Slack`, or into what is
// written after them.
template <typename T, bool Placed> class Windows {
    using Key = typename Keyed<T>::Key;
    using Keys = typename Keyed<T>::Keys;
    static constexpr int64_t Count = Keyed<T>::Count, Slack = Count;

    const PoolShape s;
    const std::vector<Run>& runs;
    const bool relu;
    const int64_t inputs, outputs, pitch;
    const int64_t phases, phase; // elements of each
#if defined(__AVX512F__)
    const ColumnPairs<Key> pairs{std::min(s.channels, Count)};
#endif
    // One row of inputs, phase by phase; the maxima of rows by their row modulo the kernel's height, and where in a row
    // they lie.
    std::vector<Key> keys, maxima, places;
    std::vector<int64_t> lines; // where in those the rows of a window are

    static Keys bits_of(const T* x, int64_t at, int64_t inputs) {
        Keys bits = {};
        if (at + Count <= inputs)
            std::memcpy(&bits, x + at, sizeof bits);
        else if (at < inputs)
            std::memcpy(&bits, x + at, (inputs - at) * sizeof(T));
        return bits;
    }

    // The loops' bounds and pointers are locals: no store can reach those.
    void read_keys(const T* x) {
        const int64_t inputs = this->inputs;
        Key* const key = keys.data();
        auto put = [](Key* to, Keys bits) {
            Keys some = sortable<T>(bits);
            std::memcpy(to, &some, sizeof some);
        };
#if defined(__AVX512F__)
        if (phases == 2) {
            const ColumnPairs<Key> pairs = this->pairs;
            for (int64_t i = 0, to = 0; i < inputs; i += 2 * pairs.width, to += pairs.width) {
                auto low = (__m512i)bits_of(x, i, inputs), high = (__m512i)bits_of(x, i + Count, inputs);
                put(key + to, (Keys)pairs.firsts(low, high));
                put(key + phase + to, (Keys)pairs.seconds(low, high));
            }
            return;
        }
#endif
        for (int64_t i = 0; i < inputs; i += Count)
            put(key + i, bits_of(x, i, inputs));
    }

    void row(const T* x, int64_t at) {
        const int64_t channels = s.channels, phases = this->phases, phase = this->phase;
        const Key* const key = keys.data();
        read_keys(x);
        for (const Run& run : runs) {
            const Keys first = Keys{} + static_cast<Key>(run.across.first);
            const int64_t cells = run.across.last - run.across.first, values = run.count * channels;
            const int64_t column = run.across.start + run.across.first;
            // One phase or two: no division.
            auto cell = [=](int64_t q) {
                return key + ((column + q) & (phases - 1)) * phase + ((column + q) >> (phases - 1)) * channels;
            };
            Key* const best = maxima.data() + at * pitch + run.begin * channels;
            Key* const place = places.data() + (Placed ? at * pitch + run.begin * channels : 0);
            for (int64_t i = 0; i < values; i += Count) {
                Keys largest = read<Keys>(cell(0) + i), where = first, here = first;
                for (int64_t q = 1; q < cells; q++)
                    take_larger(largest, where, read<Keys>(cell(q) + i), here += 1);
                std::memcpy(best + i, &largest, sizeof largest);
                if (Placed)
                    std::memcpy(place + i, &where, sizeof where);
            }
        }
    }

    void columns(const Span& rows, T* y, uint8_t* position) {
        const int64_t outputs = this->outputs, cells = rows.last - rows.first;
        const Key least = relu ? 0 : std::numeric_limits<Key>::min();
        const Keys floor = Keys{} + least;
        const Key kernelWidth = static_cast<Key>(s.kernelWidth);
        const int64_t* const line = lines.data();
        for (int64_t r = rows.first; r < rows.last; r++)
            lines[r - rows.first] = (rows.start + r) % s.kernelHeight * pitch;
        const Key *const best = maxima.data(), *const place = places.data();
        const Keys top = Keys{} + static_cast<Key>(rows.first * s.kernelWidth);
        for (int64_t i = 0; i < outputs; i += Count) {
            Keys largest = read<Keys>(best + line[0] + i), where = top, above = top;
            if (Placed)
                where += read<Keys>(place + line[0] + i);
            for (int64_t r = 1; r < cells; r++) {
                Keys here = above += kernelWidth;
                if (Placed)
                    here += read<Keys>(place + line[r] + i);
                take_larger(largest, where, read<Keys>(best + line[r] + i), here);
            }
            // ReLU; a NaN stays, being above zero.
            Keys values = turned<T>(larger(largest, floor));
            if (Placed && relu)
                where = kept_above(where, largest, floor);
            if (i + Count <= outputs) {
                std::memcpy(y + i, &values, sizeof values);
                if (Placed)
                    store_bytes(position + i, where);
            } else {
                std::memcpy(y + i, &values, (outputs - i) * sizeof(T));
                uint8_t bytes[Count];
                store_bytes(bytes, where);
                if (Placed)
                    std::memcpy(position + i, bytes, outputs - i);
            }
        }
    }

public:
    Windows(const PoolShape& shape, const std::vector<Run>& runs, bool relu)
        : s(shape), runs(runs), relu(relu), inputs(s.width * s.channels), outputs(s.outWidth * s.channels),
          pitch(outputs + Slack), phases(phases_of<T>(s)),
          phase(s.width / phases * s.channels + s.kernelWidth * s.channels + Slack), keys(phases * phase),
          maxima(s.kernelHeight * pitch), places(Placed ? maxima.size() : pitch), lines(s.kernelHeight) {}

    // Rows `begin` to before `end` of one image.
    void work(int64_t begin, int64_t end, const T* x, T* y, uint8_t* position) {
        int64_t next = 0;
        for (int64_t oh = begin; oh < end; oh++) {
            Span rows(oh, s.strideHeight, s.padTop, s.kernelHeight, s.height);
            for (next = std::max(next, rows.start + rows.first); next < rows.start + rows.last; next++)
                row(x + next * inputs, next % s.kernelHeight);
            columns(rows, y + oh * outputs, position + oh * outputs);
        }
    }
};

template <typename T, bool Placed> void windows_of(const PoolShape& s, bool relu, const T* x, T* y, uint8_t* position) {
    // Bands of an image share rows of inputs, which each works out for itself: no more of them than threads may want.
    int64_t most = std::clamp<int64_t>(s.images * s.outHeight / 64, 8, std::max<int64_t>(8, s.outHeight));
    int64_t bands = (s.outHeight + most - 1) / most;
    auto runs = runs_of(s, phases_of<T>(s));
    parallel_workers(s.images * bands, [&](Tasks& tasks) {
        Windows<T, Placed> windows(s, runs, relu);
        for (int64_t task; (task = tasks.next()) >= 0;) {
            int64_t image = task / bands, begin = task % bands * most;
            int64_t to = image * s.outHeight * s.outWidth * s.channels;
            windows.work(begin, std::min(begin + most, s.outHeight), x + image * s.height * s.width * s.channels,
                         y + to, position + to);
        }
    });
}

template <typename T> void max_pool_of(const PoolShape& s, bool relu, const void* x, void* y, uint8_t* position) {
    auto from = static_cast<const T*>(x);
    auto to = static_cast<T*>(y);
    position ? windows_of<T, true>(s, relu, from, to, position) : windows_of<T, false>(s, relu, from, to, position);
}

void max_pool(Element element, const PoolShape& s, bool relu, const void* x, void* y, uint8_t* position) {
    element == Element::Float32 ? max_pool_of<float>(s, relu, x, y, position)
                                : max_pool_of<BFloat16>(s, relu, x, y, position);
}

} // namespace

void add_pooling(Kernels& table) {
    table.max_pool = max_pool;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
