// Sums that several tasks work out a part of each. How many parts there are follows from the work's size alone, and they are
// added in order, so that the sum is the same whatever the number of threads.
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

    // At most 16 parts of `size` floats and 64 MB of them.
    Parts(int64_t size, int64_t work)
        : size(size), count(std::max<int64_t>(1, std::min({int64_t{16}, work, (int64_t{16} << 20) / size}))),
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

  private:
    const Scratch<float> data;
};

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
