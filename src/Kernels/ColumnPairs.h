// Rows of so few channels that a vector holds several columns. Pooling of stride 2 takes rows apart into the first and
// the second columns of pairs, and its gradient puts pairs together, whole vectors at a time.
#pragma once

#include "Vectors.h"

namespace cnnspec {
namespace CNNSPEC_LEVEL {

#if defined(__AVX512F__)
// T is the integer that an element's bits are. `low` and `high` are the vectors that neighbouring pairs fill, the last
// elements maybe unused.
template <typename T> class ColumnPairs {
    typedef T Lanewise __attribute__((vector_size(64)));
    Lanewise firsts_{}, seconds_{}, low_{}, high_{};

    static __m512i select(Lanewise order, __m512i low, __m512i high) {
        return sizeof(T) == 2 ? _mm512_permutex2var_epi16(low, (__m512i)order, high)
                              : _mm512_permutex2var_epi32(low, (__m512i)order, high);
    }

public:
    static constexpr int64_t Count = 64 / sizeof(T);
    const int64_t width;                // elements of one column of as many pairs as fill `low` and `high`
    Lanewise secondLow{}, secondHigh{}; // 1 where `low` and `high` have an element of a second column

    static bool fit(int64_t channels) { return channels <= Count; }

    explicit ColumnPairs(int64_t channels) : width(Count / channels * channels) {
        for (int64_t i = 0; i < width; i++) {
            firsts_[i] = static_cast<T>(i / channels * 2 * channels + i % channels);
            seconds_[i] = static_cast<T>(firsts_[i] + channels);
        }
        for (int64_t i = 0; i < 2 * width; i++) {
            auto of = static_cast<T>(i / (2 * channels) * channels + i % channels),
                 is = static_cast<T>(i / channels % 2);
            (i < Count ? low_ : high_)[i % Count] = of;
            (i < Count ? secondLow : secondHigh)[i % Count] = is;
        }
    }

    __m512i firsts(__m512i low, __m512i high) const { return select(firsts_, low, high); }
    __m512i seconds(__m512i low, __m512i high) const { return select(seconds_, low, high); }

    // Pairs of one column twice.
    __m512i low(__m512i column) const { return select(low_, column, column); }
    __m512i high(__m512i column) const { return select(high_, column, column); }
};
#endif

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
