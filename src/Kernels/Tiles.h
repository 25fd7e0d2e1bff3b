// What the two halves of Winograd's convolution share. A filter of taps × taps over tiles of outputs × outputs is a
// product of polynomials in each direction, taken at six points: 0, ±2/3, ±3/2 and infinity, so a tile's 6×6 inputs d
// become 36 values BᵀdB, where a convolution is one product a point and pair of channels: 36 where 3×3 filters over 4×4
// outputs have 144, and 5×5 over 2×2 have 100. Lavin and Gray 2016, "Fast Algorithms for Convolutional Neural
// Networks", arXiv:1509.09308, section 4; they take ±1 and ±2. These points, reciprocals of each other, round to less
// than half the error in bfloat16 (Barabasz et al. 2020, "Error Analysis and Improving the Accuracy of Winograd
// Convolution for Deep Neural Networks", arXiv:1803.10986, on the choice of points).
#pragma once

#include "Level.h"
#include "Vectors.h"
#include <algorithm>
#include <cstdlib>
#include <memory>
#include <vector>

namespace cnnspec {
namespace CNNSPEC_LEVEL {

// Elements of one type that fill a 32-bit lane: what one multiply-add takes from each operand.
template <typename T> constexpr int64_t Together = 4 / sizeof(T);

// acc += w · v, lane by lane; v is one lane's worth of elements, the same for all.
inline Vector multiply_add(Vector acc, Vector w, const float* v) {
    return (Vector)_mm512_fmadd_ps((__m512)w, _mm512_set1_ps(*v), (__m512)acc);
}

inline Vector multiply_add(Vector acc, Vector w, const BFloat16* v) {
    // GCC 12 does not put the broadcast into the instruction by itself, and there is no register to spare for it.
    typedef uint32_t Pair __attribute__((may_alias, aligned(2)));
    asm("vdpbf16ps %2%{1to16%}, %1, %0" : "+v"(acc) : "v"(w), "m"(*reinterpret_cast<const Pair*>(v)));
    return acc;
}

// Elements of the lower and of the upper half in turn.
inline __m512i interleaved(__m512i halves) {
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, //
                                           23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(order, halves);
}

// The same elements of two tiles beside each other in a lane, or in rows of their own where an element fills a lane.
inline void store_pair(BFloat16* to, int64_t, Vector first, Vector second) {
    _mm512_storeu_si512(to, interleaved(reinterpret<__m512i>(_mm512_cvtne2ps_pbh((__m512)second, (__m512)first))));
}

inline void store_pair(float* to, int64_t next, Vector first, Vector second) {
    store(to, first);
    store(to + next, second);
}

// Memory that nobody has written yet, at the start of a cache line.
template <typename T> class Scratch {
public:
    explicit Scratch(int64_t count)
        : data_(static_cast<T*>(std::aligned_alloc(64, (count * sizeof(T) + 63) / 64 * 64))) {
        if (!data_)
            throw std::bad_alloc();
    }
    T* get() const { return data_.get(); }

private:
    struct Free {
        void operator()(T* data) const { std::free(data); }
    };
    std::unique_ptr<T, Free> data_;
};

// Between rows of points, so that they do not all begin at the same place of the cache.
constexpr int64_t Slack = 32;

// The mask of the first `count` lanes, or of all.
inline __mmask16 first_lanes(int64_t count) {
    return static_cast<__mmask16>(count >= Lanes ? 0xffff : (1 << count) - 1);
}

static_assert(padded(1) == Lanes, "vectors of another width");

// The reverse of tile_side; `Outputs` is 4 for 3×3 filters and 2 for 5×5 ones.
constexpr int taps_of(int outputs) {
    return Points + 1 - outputs;
}

// The two pairs of points are ±Small and ±Large.
constexpr float Small = 2.0f / 3, Large = 3.0f / 2;

constexpr float power(float base, int exponent) {
    return exponent == 0 ? 1 : base * power(base, exponent - 1);
}

// By what values at ±Small and ±Large are divided on the way from filters to outputs; at 0 and infinity by 1.
constexpr float SmallShare = 1 / (2 * power(Small, 2) * (power(Small, 2) - power(Large, 2)));
constexpr float LargeShare = 1 / (2 * power(Large, 2) * (power(Large, 2) - power(Small, 2)));

// Bᵀd.
inline void input_points(const Vector d[Points], Vector v[Points]) {
    constexpr float small = power(Small, 2), large = power(Large, 2);
    Vector even = d[4] - large * d[2], odd = Small * (d[3] - large * d[1]);
    v[0] = d[0] - (small + large) * d[2] + d[4];
    v[1] = even + odd;
    v[2] = even - odd;
    even = d[4] - small * d[2], odd = Large * (d[3] - small * d[1]);
    v[3] = even + odd;
    v[4] = even - odd;
    v[5] = d[1] - (small + large) * d[3] + d[5];
}

// The polynomial with these coefficients at the points: Gg without the shares, or Ay.
template <int Count> inline void evaluate(const Vector c[Count], Vector v[Points]) {
    for (int pair = 0; pair < 2; pair++) {
        float at = pair == 0 ? Small : Large;
        Vector even = c[0], odd = at * c[1];
        for (int i = 2; i < Count; i++)
            (i % 2 == 0 ? even : odd) += power(at, i) * c[i];
        v[2 * pair + 1] = even + odd;
        v[2 * pair + 2] = even - odd;
    }
    v[0] = c[0];
    v[5] = c[Count - 1];
}

// The transpose of `evaluate`: Aᵀm, or Gᵀu without the shares.
template <int Count> inline void gather(const Vector m[Points], Vector c[Count]) {
    Vector even[2] = {m[1] + m[2], m[3] + m[4]}, odd[2] = {m[1] - m[2], m[3] - m[4]};
    c[0] = m[0] + even[0] + even[1];
    for (int i = 1; i < Count; i++) {
        const Vector* pairs = i % 2 == 0 ? even : odd;
        c[i] = power(Small, i) * pairs[0] + power(Large, i) * pairs[1];
    }
    c[Count - 1] += m[5];
}

constexpr float share_of(int point) {
    return point == 0 || point == Points - 1 ? 1 : point < 3 ? SmallShare : LargeShare;
}

// Tiles of a batch by row; rows have an even number of them, the last maybe outside of the map, and run through all
// images.
struct TileGrid {
    int64_t outputs, down, across, rows;
    explicit TileGrid(const ConvShape& s)
        : outputs(tile_side(s.kernelHeight)), down((s.outHeight + outputs - 1) / outputs),
          across((s.outWidth + 2 * outputs - 1) / (2 * outputs) * 2), rows(s.images * down) {}

    // The line of all images' that the outputs of a row begin at; its inputs begin about there.
    int64_t line(int64_t row, int64_t height) const { return row / down * height + outputs * (row % down); }

    // Rows that have at most so many tiles, and at least one.
    int64_t rows_of(int64_t tiles) const { return std::max<int64_t>(1, std::min(tiles / across, rows)); }
};

// Asks for lines of a map that the next block will read, some at a time while this one is worked on: a block reads
// first and multiplies then, and memory would idle meanwhile.
class ReadAhead {
    const char *at, *end;
    int64_t each; // cache lines a turn

public:
    template <typename T>
    ReadAhead(const T* map, int64_t line, int64_t lines, int64_t lineElements, int64_t turns)
        : at(reinterpret_cast<const char*>(map + line * lineElements)), end(at + lines * lineElements * sizeof(T)),
          each(((end - at) / 64 + turns - 1) / turns) {}

    void more() {
        for (int64_t i = 0; i < each && at < end; i++, at += 64)
            __builtin_prefetch(at, /*write=*/0, /*into the second level=*/2);
    }
};

// What `turn` makes of columns of `Height` values and then of the rows of what that gives, for two neighbouring tiles
// that begin `Apart` columns apart.
template <int Height, int Apart, typename Read, typename Turn, typename Put>
inline void tiles_points(Read&& read, Turn&& turn, Put&& put) {
    Vector e[Points][Height + Apart];
    for (int j = 0; j < Height + Apart; j++) {
        Vector column[Height], v[Points];
#pragma GCC unroll 6
        for (int i = 0; i < Height; i++)
            column[i] = read(i, j);
        turn(column, v);
#pragma GCC unroll 6
        for (int i = 0; i < Points; i++)
            e[i][j] = v[i];
    }
    for (int i = 0; i < Points; i++) {
        Vector first[Points], second[Points];
        turn(e[i], first);
        turn(e[i] + Apart, second);
        put(i, first, second);
    }
}

// Where the inputs of two neighbouring tiles lie; those outside of the map are zeros.
template <int Outputs, typename T> struct InputWindow {
    static constexpr int Columns = Points + Outputs;
    const T* at[Points][Columns];

    InputWindow(const ConvShape& s, const T* x, const T* zeros, int64_t image, int64_t row, int64_t column) {
        int64_t top = Outputs * row - s.padTop, left = Outputs * column - s.padLeft;
        for (int64_t i = 0; i < Points; i++) {
            bool inside = static_cast<uint64_t>(top + i) < static_cast<uint64_t>(s.height);
            const T* line = x + (image * s.height + top + i) * s.width * s.channels;
            for (int64_t j = 0; j < Columns; j++)
                at[i][j] = inside & (static_cast<uint64_t>(left + j) < static_cast<uint64_t>(s.width))
                               ? line + (left + j) * s.channels
                               : zeros;
        }
    }

    // put(i, points of the first tile, of the second) for each row i, of channels channel … channel+count-1.
    template <typename Put> inline void points(int64_t channel, int64_t count, Put&& put) const {
        auto row = [&](int i, int j) { return at[i][j] + channel; };
        if (count == Lanes)
            tiles_points<Points, Outputs>([&](int i, int j) { return load(row(i, j)); }, input_points, put);
        else
            tiles_points<Points, Outputs>([&](int i, int j) { return load(row(i, j), count); }, input_points, put);
    }
};

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
