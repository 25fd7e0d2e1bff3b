// Rows of channels cut into blocks of vectors, and sums over them by channel.
#pragma once

#include "Level.h"
#include "Vectors.h"
#include <algorithm>
#include <numeric>
#include <type_traits>
#include <vector>

namespace cnnspec {
namespace CNNSPEC_LEVEL {

// Vectors of channels that are gone through at once: up to Row of them where that is the whole row, so that memory is
// read from its beginning to its end, else Block of them.
constexpr int64_t Block = 4, Row = 8;

// Of more than this no one who reads it next finds a part in the cache: it is written past it.
constexpr int64_t Cached = 16 << 20;

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
    for (int64_t i = 0; i < fold * channels; i++)
        result[i] = values[i % channels];
    return result;
}

// Calls body(N) with the count, of N to Most, as a constant.
template <int64_t N, int64_t Most, typename Body> inline void with_count(int64_t count, Body&& body) {
    if constexpr (N < Most)
        if (count != N)
            return with_count<N + 1, Most>(count, body);
    body(std::integral_constant<int64_t, N>());
}

// Calls visit(number of vectors, column, last) for blocks of `most` vectors, Most at most, that cover the width; only
// the last vector of the last block may be short, of `last` values.
template <int64_t Most, typename Visit> inline void each_block(int64_t width, int64_t most, Visit&& visit) {
    for (int64_t column = 0; column < width; column += most * Lanes) {
        int64_t left = std::min(width - column, most * Lanes);
        int64_t vectors = (left + Lanes - 1) / Lanes;
        with_count<1, Most>(vectors, [&](auto count) { visit(count, column, left - (vectors - 1) * Lanes); });
    }
}

template <typename Visit> inline void each_block(int64_t width, Visit&& visit) {
    each_block<Row>(width, width <= Row * Lanes ? Row : Block, visit);
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

// Whether rows are written past the cache: many, and whole lines of it.
template <typename T> inline bool streams(RowView to, const Grid& grid) {
    constexpr int64_t size = sizeof(T), vector = Lanes * size, line = 64;
    bool gaps = grid.fold * to.stride != grid.width;
    return grid.rows * grid.width * size > Cached && grid.width % Lanes == 0 &&
           reinterpret_cast<uintptr_t>(to.data) % (gaps ? line : vector) == 0 &&
           (!gaps || (to.stride * size % line == 0 && grid.width * size % line == 0));
}

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
