// Rows of channels cut into blocks of vectors, and sums over them by channel.
#pragma once

#include "Level.h"
#include "Vectors.h"
#include <algorithm>
#include <numeric>
#include <vector>

namespace cnnspec {
namespace CNNSPEC_LEVEL {

constexpr int64_t Block = 4; // vectors of channels that are held in registers at once

// Rows joined to wider ones, so that few channels still fill vectors: `width` values, channel c at every c +
// k·channels.
struct Grid {
    int64_t rows, width, fold;

    Grid(RowShape shape, bool dense) {
        fold = 1;
        if (dense) {
            int64_t unit = Lanes / std::gcd(shape.channels, Lanes);
            fold = unit;
            while (fold * shape.channels < Block * Lanes)
                fold += unit;
        }
        rows = shape.rows / fold;
        width = fold * shape.channels;
    }

    // Tasks of some 64 KB, at most 64 of them; both depend on the tensor alone.
    int64_t tasks() const { return std::max<int64_t>(1, std::min<int64_t>(64, rows * width / 16384)); }
    int64_t begin(int64_t task) const { return rows * task / tasks(); }
};

inline bool dense(RowView view, int64_t channels) {
    return view.data == nullptr || view.stride == channels;
}

// Values by channel, repeated for each of the rows that a grid has joined.
inline std::vector<float> repeated(const float* values, int64_t channels, int64_t fold) {
    std::vector<float> result(fold * channels + Lanes);
    for (int64_t k = 0; k < fold; k++)
        std::copy(values, values + channels, result.begin() + k * channels);
    return result;
}

// Calls visit.template block<N>(column, last) for blocks of N vectors that cover the width; only the last vector of the
// last block may be short, of `last` values.
template <typename Visit> inline void each_block(int64_t width, Visit&& visit) {
    for (int64_t column = 0; column < width; column += Block * Lanes) {
        int64_t left = std::min(width - column, Block * Lanes);
        int64_t vectors = (left + Lanes - 1) / Lanes;
        int64_t last = left - (vectors - 1) * Lanes;
        switch (vectors) {
        case 1:
            visit(std::integral_constant<int64_t, 1>(), column, last);
            break;
        case 2:
            visit(std::integral_constant<int64_t, 2>(), column, last);
            break;
        case 3:
            visit(std::integral_constant<int64_t, 3>(), column, last);
            break;
        default:
            visit(std::integral_constant<int64_t, 4>(), column, last);
        }
    }
}

// Where a block's values lie in each joined row. A local of its own: what is written through it cannot be its own
// fields.
template <typename T> struct Cursor {
    T* start;
    int64_t step;
    Cursor(RowView view, const Grid& grid, int64_t column)
        : start(view.data ? static_cast<T*>(view.data) + column : nullptr), step(grid.fold * view.stride) {}
    T* row(int64_t index) const { return start + index * step; }
};

// The rows that do not fill a joined one, as rows of their own.
struct Remainder {
    int64_t first, count;
    Remainder(const Grid& grid, RowShape shape) : first(grid.rows * grid.fold), count(shape.rows - first) {}
};

inline RowView from(RowView view, int64_t row, Element element) {
    if (view.data != nullptr)
        view.data = static_cast<char*>(view.data) + row * view.stride * (element == Element::Float32 ? 4 : 2);
    return view;
}

// Two sums for each channel over all rows, by parts that are added in order.
template <typename Part>
void two_sums(const Grid& grid, int64_t channels, const Part& part, double* first, double* second) {
    int64_t tasks = grid.tasks(), width = (grid.width + Lanes - 1) / Lanes * Lanes;
    std::vector<float> parts(tasks * 2 * width, 0.0f);
    parallel_tasks(tasks, [&](int64_t task) {
        float* sums = parts.data() + task * 2 * width;
        part(grid.begin(task), grid.begin(task + 1), sums, sums + width);
    });
    for (int64_t task = 0; task < tasks; task++) {
        const float* sums = parts.data() + task * 2 * width;
        for (int64_t i = 0; i < grid.width; i++) {
            first[i % channels] += sums[i];
            second[i % channels] += sums[width + i];
        }
    }
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
