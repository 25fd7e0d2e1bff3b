// Sums that several tasks work out a part of each. How many parts there are follows from the work's size alone, and
// they are added in order, so that the sum is the same whatever the number of threads.
#pragma once

#include "Tiles.h"
#include <algorithm>
#include <cstring>

namespace cnnspec {
namespace CNNSPEC_LEVEL {

class Parts {
    const int64_t size;

public:
    const int64_t count;

    // 4 to 16 parts of `size` floats, no more than there is `work`, and 1 MB where that is enough: a part is written
    // and read besides the work itself.
    Parts(int64_t size, int64_t work)
        : size(size), count(std::min(work, std::max<int64_t>(4, std::min<int64_t>(16, (1 << 18) / size)))),
          data(size * count) {}

    float* zeroed(int64_t part) const {
        return static_cast<float*>(std::memset(data.get() + part * size, 0, size * sizeof(float)));
    }

    Vector sum(int64_t at) const {
        Vector total = load(data.get() + at);
        for (int64_t part = 1; part < count; part++)
            total += load(data.get() + part * size + at);
        return total;
    }

    // To `to` and every `stride` floats on, `count` times: the filters of one tap and channel in [K][C][h][w].
    static void scatter(float* to, int64_t stride, Vector values, int64_t count) {
        Words lane;
        for (int64_t k = 0; k < Lanes; k++)
            lane[k] = static_cast<uint32_t>(k * stride);
        _mm512_mask_i32scatter_ps(to, first_lanes(count), (__m512i)lane, (__m512)values, 4);
    }

private:
    const Scratch<float> data;
};

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
