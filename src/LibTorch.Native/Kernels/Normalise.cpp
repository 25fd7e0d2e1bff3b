// Batch normalisation with what follows it, on rows of channels.
#include "Level.h"
#include "Vectors.h"
#include <algorithm>
#include <numeric>
#include <vector>

namespace cnnspec {
namespace CNNSPEC_LEVEL {
namespace {

constexpr int64_t Block = 4; // vectors of channels that are held in registers at once

// Rows joined to wider ones, so that few channels still fill vectors: `width` values, channel c at every c + k·channels.
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

bool dense(RowView view, int64_t channels) {
    return view.data == nullptr || view.stride == channels;
}

// Values by channel, repeated for each of the rows that a grid has joined.
std::vector<float> repeated(const float* values, int64_t channels, int64_t fold) {
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
        case 1: visit(std::integral_constant<int64_t, 1>(), column, last); break;
        case 2: visit(std::integral_constant<int64_t, 2>(), column, last); break;
        case 3: visit(std::integral_constant<int64_t, 3>(), column, last); break;
        default: visit(std::integral_constant<int64_t, 4>(), column, last);
        }
    }
}

// Where a block's values lie in each joined row. A local of its own: what is written through it cannot be its own fields.
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

RowView from(RowView view, int64_t row, Element element) {
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

template <typename T>
void add_moments(RowShape shape, RowView x, const Grid& grid, const float* origin, double* sum, double* square) {
    auto origins = repeated(origin, shape.channels, grid.fold);
    two_sums(grid, shape.channels, [&](int64_t begin, int64_t end, float* sums, float* squares) {
        each_block(grid.width, [&](auto count, int64_t column, int64_t last) {
            constexpr int64_t N = decltype(count)::value;
            Vector s[N] = {}, q[N] = {}, o[N];
            for (int64_t k = 0; k < N; k++)
                o[k] = load(origins.data() + column + k * Lanes);
            Cursor<T> values(x, grid, column);
            for (int64_t i = begin; i < end; i++) {
                const T* at = values.row(i);
                for (int64_t k = 0; k < N; k++) {
                    Vector value = load(at + k * Lanes, k == N - 1 ? last : Lanes) - o[k];
                    s[k] += value;
                    q[k] += value * value;
                }
            }
            for (int64_t k = 0; k < N; k++) {
                store(sums + column + k * Lanes, s[k]);
                store(squares + column + k * Lanes, q[k]);
            }
        });
    }, sum, square);
}

template <typename T> void moments_of(RowShape shape, RowView x, float* mean, float* variance) {
    int64_t channels = shape.channels;
    // About the first row's values: sums of squares about zero would lose the variance of values far from it.
    std::vector<float> origin(channels + Lanes);
    for (int64_t c = 0; c < channels; c++)
        origin[c] = load(static_cast<const T*>(x.data) + c, 1)[0];
    std::vector<double> sum(channels), square(channels);
    Grid grid(shape, dense(x, channels));
    add_moments<T>(shape, x, grid, origin.data(), sum.data(), square.data());
    Remainder rest(grid, shape);
    if (rest.count > 0) {
        RowShape few{rest.count, channels};
        Element element = sizeof(T) == 4 ? Element::Float32 : Element::BFloat16;
        add_moments<T>(few, from(x, rest.first, element), Grid(few, false), origin.data(), sum.data(), square.data());
    }
    for (int64_t c = 0; c < channels; c++) {
        double about = sum[c] / shape.rows;
        mean[c] = static_cast<float>(origin[c] + about);
        variance[c] = static_cast<float>(std::max(0.0, square[c] / shape.rows - about * about));
    }
}

void moments(Element element, RowShape shape, RowView x, float* mean, float* variance) {
    element == Element::Float32 ? moments_of<float>(shape, x, mean, variance)
                                : moments_of<BFloat16>(shape, x, mean, variance);
}

template <typename T, bool Sum, bool Relu> void normalise_rows(const NormForward& n, const Grid& grid) {
    auto scales = repeated(n.scale, n.shape.channels, grid.fold);
    auto shifts = repeated(n.shift, n.shape.channels, grid.fold);
    parallel_tasks(grid.tasks(), [&](int64_t task) {
        each_block(grid.width, [&](auto count, int64_t column, int64_t last) {
            constexpr int64_t N = decltype(count)::value;
            Vector a[N], b[N];
            for (int64_t k = 0; k < N; k++) {
                a[k] = load(scales.data() + column + k * Lanes);
                b[k] = load(shifts.data() + column + k * Lanes);
            }
            Cursor<T> from(n.x, grid, column), addend(n.addend, grid, column), to(n.y, grid, column);
            int64_t end = grid.begin(task + 1);
            for (int64_t i = grid.begin(task); i < end; i++) {
                const T *x = from.row(i), *other = addend.row(i);
                T* y = to.row(i);
                for (int64_t k = 0; k < N; k++) {
                    int64_t lanes = k == N - 1 ? last : Lanes;
                    Vector value = load(x + k * Lanes, lanes) * a[k] + b[k];
                    if (Sum)
                        value += load(other + k * Lanes, lanes);
                    store(y + k * Lanes, Relu ? positive_part(value) : value, lanes);
                }
            }
        });
    });
}

template <typename T, bool Sum, bool Relu> void normalise_all(const NormForward& n) {
    int64_t channels = n.shape.channels;
    Grid grid(n.shape, dense(n.x, channels) && dense(n.addend, channels) && dense(n.y, channels));
    normalise_rows<T, Sum, Relu>(n, grid);
    Remainder rest(grid, n.shape);
    if (rest.count > 0) {
        NormForward few = n;
        few.shape.rows = rest.count;
        for (RowView* view : {&few.x, &few.addend, &few.y})
            *view = from(*view, rest.first, n.element);
        normalise_rows<T, Sum, Relu>(few, Grid(few.shape, false));
    }
}

template <typename T> void normalise_as(const NormForward& n) {
    if (n.addend.data != nullptr)
        n.relu ? normalise_all<T, true, true>(n) : normalise_all<T, true, false>(n);
    else
        n.relu ? normalise_all<T, false, true>(n) : normalise_all<T, false, false>(n);
}

void normalise(const NormForward& n) {
    n.element == Element::Float32 ? normalise_as<float>(n) : normalise_as<BFloat16>(n);
}

// How the backward pass knows where the activation let values through.
enum class Mask { None, FromInput, FromOutput };

template <Mask M, typename T>
inline Vector through(Vector dy, Vector x, const T* y, Vector scale, Vector shift, int64_t lanes) {
    if (M == Mask::FromInput)
        return where(above(x * scale + shift, Vector{}), dy, Vector{});
    if (M == Mask::FromOutput)
        return where(above(load(y, lanes), Vector{}), dy, Vector{});
    return dy;
}

template <typename T, Mask M, bool Keep>
void sum_rows(const NormBackward& n, const Grid& grid, double* sum, double* product) {
    int64_t channels = n.shape.channels;
    auto means = repeated(n.mean, channels, grid.fold);
    auto scales = repeated(n.scale, channels, grid.fold);
    auto shifts = repeated(n.shift, channels, grid.fold);
    two_sums(grid, channels, [&](int64_t begin, int64_t end, float* sums, float* products) {
        each_block(grid.width, [&](auto count, int64_t column, int64_t last) {
            constexpr int64_t N = decltype(count)::value;
            Vector s[N] = {}, p[N] = {}, m[N], a[N], b[N];
            for (int64_t k = 0; k < N; k++) {
                m[k] = load(means.data() + column + k * Lanes);
                a[k] = load(scales.data() + column + k * Lanes);
                b[k] = load(shifts.data() + column + k * Lanes);
            }
            Cursor<T> input(n.x, grid, column), output(n.y, grid, column), gradient(n.dy, grid, column),
                masked(n.masked, grid, column);
            for (int64_t i = begin; i < end; i++) {
                const T *xs = input.row(i), *ys = output.row(i), *gs = gradient.row(i);
                T* kept = masked.row(i);
                for (int64_t k = 0; k < N; k++) {
                    int64_t lanes = k == N - 1 ? last : Lanes, at = k * Lanes;
                    Vector x = load(xs + at, lanes);
                    Vector g = through<M>(load(gs + at, lanes), x, ys + at, a[k], b[k], lanes);
                    if (Keep)
                        store(kept + at, g, lanes);
                    s[k] += g;
                    p[k] += g * (x - m[k]);
                }
            }
            for (int64_t k = 0; k < N; k++) {
                store(sums + column + k * Lanes, s[k]);
                store(products + column + k * Lanes, p[k]);
            }
        });
    }, sum, product);
}

Grid grid_of(const NormBackward& n) {
    int64_t channels = n.shape.channels;
    return Grid(n.shape, dense(n.dy, channels) && dense(n.x, channels) && dense(n.y, channels) &&
                             dense(n.masked, channels) && dense(n.dx, channels));
}

// The rows left over by a grid, if any.
template <typename Body> void remainder(const NormBackward& n, const Grid& grid, const Body& body) {
    Remainder rest(grid, n.shape);
    if (rest.count == 0)
        return;
    NormBackward few = n;
    few.shape.rows = rest.count;
    for (RowView* view : {&few.dy, &few.x, &few.y, &few.masked, &few.dx})
        *view = from(*view, rest.first, n.element);
    body(few, Grid(few.shape, false));
}

template <typename T, Mask M, bool Keep> void sums_as(const NormBackward& n, float* sum, float* product) {
    int64_t channels = n.shape.channels;
    std::vector<double> sums(channels), products(channels);
    Grid grid = grid_of(n);
    auto add = [&](const NormBackward& part, const Grid& grid) {
        sum_rows<T, M, Keep>(part, grid, sums.data(), products.data());
    };
    add(n, grid);
    remainder(n, grid, add);
    for (int64_t c = 0; c < channels; c++) {
        sum[c] = static_cast<float>(sums[c]);
        product[c] = static_cast<float>(products[c]);
    }
}

template <typename T> void sums_of(const NormBackward& n, float* sum, float* product) {
    if (!n.relu)
        sums_as<T, Mask::None, false>(n, sum, product);
    else if (n.y.data == nullptr)
        sums_as<T, Mask::FromInput, false>(n, sum, product);
    else if (n.masked.data == nullptr)
        sums_as<T, Mask::FromOutput, false>(n, sum, product);
    else
        sums_as<T, Mask::FromOutput, true>(n, sum, product);
}

void normalise_sums(const NormBackward& n, float* sum, float* product) {
    n.element == Element::Float32 ? sums_of<float>(n, sum, product) : sums_of<BFloat16>(n, sum, product);
}

struct Line {
    const float *slope, *tilt, *offset;
};

template <typename T, Mask M> void input_rows(const NormBackward& n, const Grid& grid, const Line& line) {
    int64_t channels = n.shape.channels;
    auto means = repeated(n.mean, channels, grid.fold);
    auto scales = repeated(n.scale, channels, grid.fold);
    auto shifts = repeated(n.shift, channels, grid.fold);
    auto slopes = repeated(line.slope, channels, grid.fold);
    auto tilts = repeated(line.tilt, channels, grid.fold);
    auto offsets = repeated(line.offset, channels, grid.fold);
    parallel_tasks(grid.tasks(), [&](int64_t task) {
        each_block(grid.width, [&](auto count, int64_t column, int64_t last) {
            constexpr int64_t N = decltype(count)::value;
            Vector m[N], a[N], b[N], slope[N], tilt[N], offset[N];
            for (int64_t k = 0; k < N; k++) {
                int64_t at = column + k * Lanes;
                m[k] = load(means.data() + at);
                a[k] = load(scales.data() + at);
                b[k] = load(shifts.data() + at);
                slope[k] = load(slopes.data() + at);
                tilt[k] = load(tilts.data() + at);
                offset[k] = load(offsets.data() + at);
            }
            Cursor<T> input(n.x, grid, column), output(n.y, grid, column), gradient(n.dy, grid, column),
                result(n.dx, grid, column);
            int64_t end = grid.begin(task + 1);
            for (int64_t i = grid.begin(task); i < end; i++) {
                const T *xs = input.row(i), *ys = output.row(i), *gs = gradient.row(i);
                T* dx = result.row(i);
                for (int64_t k = 0; k < N; k++) {
                    int64_t lanes = k == N - 1 ? last : Lanes, at = k * Lanes;
                    Vector x = load(xs + at, lanes);
                    Vector g = through<M>(load(gs + at, lanes), x, ys + at, a[k], b[k], lanes);
                    store(dx + at, slope[k] * g + (tilt[k] * (x - m[k]) + offset[k]), lanes);
                }
            }
        });
    });
}

template <typename T, Mask M> void input_as(const NormBackward& n, const Line& line) {
    Grid grid = grid_of(n);
    auto run = [&](const NormBackward& part, const Grid& grid) { input_rows<T, M>(part, grid, line); };
    run(n, grid);
    remainder(n, grid, run);
}

template <typename T> void input_of(NormBackward n, const Line& line) {
    if (n.masked.data != nullptr) {
        n.dy = n.masked;
        n.relu = false;
    }
    if (!n.relu)
        input_as<T, Mask::None>(n, line);
    else if (n.y.data == nullptr)
        input_as<T, Mask::FromInput>(n, line);
    else
        input_as<T, Mask::FromOutput>(n, line);
}

void normalise_input(const NormBackward& n, const float* slope, const float* tilt, const float* offset) {
    Line line{slope, tilt, offset};
    n.element == Element::Float32 ? input_of<float>(n, line) : input_of<BFloat16>(n, line);
}

} // namespace

void add_normalisation(Kernels& table) {
    table.moments = moments;
    table.normalise = normalise;
    table.normalise_sums = normalise_sums;
    table.normalise_input = normalise_input;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
