// What the two halves of Winograd's convolution share: 3×3 filters over tiles of 2×2 outputs, F(2×2, 3×3). Lavin and
// Gray 2016, "Fast Algorithms for Convolutional Neural Networks", arXiv:1509.09308, section 4.1. A tile's 4×4 inputs d
// become the 16 points BᵀdB, where a convolution is one product a point and pair of channels: 16 instead of 36.
#pragma once

#include "Level.h"
#include "Vectors.h"
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

// Tiles of a batch by row; rows have an even number of them, the last maybe outside of the map, and run through all
// images.
struct TileGrid {
    int64_t down, across, rows;
    explicit TileGrid(const ConvShape& s)
        : down((s.outHeight + 1) / 2), across((s.outWidth + 3) / 4 * 2), rows(s.images * down) {}

    // The line of all images' that the outputs of a row begin at; its inputs begin about there.
    int64_t line(int64_t row, int64_t height) const { return row / down * height + 2 * (row % down); }
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

// Where the 4×6 inputs of two neighbouring tiles lie; those outside of the map are zeros.
template <typename T> struct InputWindow {
    const T* at[4][6];

    InputWindow(const ConvShape& s, const T* x, const T* zeros, int64_t image, int64_t row, int64_t column) {
        int64_t top = 2 * row - s.padTop, left = 2 * column - s.padLeft;
        for (int64_t i = 0; i < 4; i++) {
            bool inside = static_cast<uint64_t>(top + i) < static_cast<uint64_t>(s.height);
            const T* line = x + (image * s.height + top + i) * s.width * s.channels;
            for (int64_t j = 0; j < 6; j++)
                at[i][j] = inside & (static_cast<uint64_t>(left + j) < static_cast<uint64_t>(s.width))
                               ? line + (left + j) * s.channels
                               : zeros;
        }
    }

    // put(i, j, point of the first tile, of the second), for channels channel … channel+15.
    template <typename Put> inline void points(int64_t channel, Put&& put) const {
        Vector d[4][6];
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++)
#pragma GCC unroll 6
            for (int j = 0; j < 6; j++)
                d[i][j] = load(at[i][j] + channel);
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            Vector e[6];
#pragma GCC unroll 6
            for (int j = 0; j < 6; j++)
                e[j] = i == 0   ? d[0][j] - d[2][j]
                       : i == 1 ? d[1][j] + d[2][j]
                       : i == 2 ? d[2][j] - d[1][j]
                                : d[1][j] - d[3][j];
            put(i, 0, e[0] - e[2], e[2] - e[4]);
            put(i, 1, e[1] + e[2], e[3] + e[4]);
            put(i, 2, e[2] - e[1], e[4] - e[3]);
            put(i, 3, e[1] - e[3], e[3] - e[5]);
        }
    }
};

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
