// The gradient of batch normalisation with what follows it: sums by channel, and the gradient of the input from them.
#include "Rows.h"

namespace cnnspec {
namespace CNNSPEC_LEVEL {
namespace {

// How the backward pass knows where the activation let values through.
enum class Mask { None, FromInput, FromOutput };

template <Mask M, typename T>
inline Vector through(Vector dy, Vector x, const T* y, Vector scale, Vector shift, int64_t lanes) {
    if (M == Mask::FromInput)
        return where_positive(x * scale + shift, dy);
    if (M == Mask::FromOutput)
        return where_positive(load(y, lanes), dy);
    return dy;
}

template <typename T, Mask M, bool Keep>
void sum_rows(const NormBackward& n, const Grid& grid, double* sum, double* product) {
    int64_t channels = n.shape.channels;
    auto means = repeated(n.mean, channels, grid.fold);
    auto scales = repeated(n.scale, channels, grid.fold);
    auto shifts = repeated(n.shift, channels, grid.fold);
    two_sums(
        grid, channels,
        [&](int64_t begin, int64_t end, float* sums, float* products) {
            each_block(grid.width, [&](auto count, int64_t column, int64_t last) {
                constexpr int64_t N = decltype(count)::value;
                Vector s[N] = {}, p[N] = {}, m[N], a[N], b[N];
#pragma GCC unroll 8
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
#pragma GCC unroll 8
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
#pragma GCC unroll 8
                for (int64_t k = 0; k < N; k++) {
                    store(sums + column + k * Lanes, s[k]);
                    store(products + column + k * Lanes, p[k]);
                }
            });
        },
        sum, product);
}

Grid grid_of(const NormBackward& n) {
    int64_t channels = n.shape.channels;
    return Grid(n.shape, dense(n.dy, channels) && dense(n.x, channels) && dense(n.y, channels) &&
                             dense(n.masked, channels) && dense(n.passed, channels) && dense(n.dx, channels));
}

// The rows left over by a grid, if any.
template <typename Body> void remainder(const NormBackward& n, const Grid& grid, const Body& body) {
    Remainder rest(grid, n.shape);
    if (rest.count == 0)
        return;
    NormBackward few = n;
    few.shape.rows = rest.count;
    for (RowView* view : {&few.dy, &few.x, &few.y, &few.masked, &few.passed, &few.dx})
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

template <typename T, Mask M, bool Passed, bool Past>
void input_rows(const NormBackward& n, const Grid& grid, const Line& line) {
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
#pragma GCC unroll 8
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
                passed(n.passed, grid, column), result(n.dx, grid, column);
            int64_t end = grid.begin(task + 1);
            for (int64_t i = grid.begin(task); i < end; i++) {
                const T *xs = input.row(i), *ys = output.row(i), *gs = gradient.row(i), *others = passed.row(i);
                T* dx = result.row(i);
#pragma GCC unroll 8
                for (int64_t k = 0; k < N; k++) {
                    int64_t lanes = k == N - 1 ? last : Lanes, at = k * Lanes;
                    Vector x = load(xs + at, lanes);
                    Vector g = through<M>(load(gs + at, lanes), x, ys + at, a[k], b[k], lanes);
                    Vector sum = slope[k] * g + (tilt[k] * (x - m[k]) + offset[k]);
                    if (Passed)
                        sum += load(others + at, lanes);
                    if (Past)
                        stream(dx + at, sum);
                    else
                        store(dx + at, sum, lanes);
                }
            }
        });
        if (Past)
            finish_stream();
    });
}

template <typename T, Mask M> void input_as(const NormBackward& n, const Line& line) {
    Grid grid = grid_of(n);
    auto run = [&](const NormBackward& part, const Grid& grid) {
        if (streams<T>(part.dx, grid))
            part.passed.data ? input_rows<T, M, true, true>(part, grid, line)
                             : input_rows<T, M, false, true>(part, grid, line);
        else
            part.passed.data ? input_rows<T, M, true, false>(part, grid, line)
                             : input_rows<T, M, false, false>(part, grid, line);
    };
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

void add_normalisation_gradient(Kernels& table) {
    table.normalise_sums = normalise_sums;
    table.normalise_input = normalise_input;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
