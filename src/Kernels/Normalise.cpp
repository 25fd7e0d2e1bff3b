// Batch normalisation with what follows it: moments, and the map.
#include "Rows.h"

namespace cnnspec {
namespace CNNSPEC_LEVEL {
namespace {

template <typename T>
void add_moments(RowShape shape, RowView x, const Grid& grid, const float* origin, double* sum, double* square) {
    auto origins = repeated(origin, shape.channels, grid.fold);
    two_sums(
        grid, shape.channels,
        [&](int64_t begin, int64_t end, float* sums, float* squares) {
            each_block(grid.width, [&](auto count, int64_t column, int64_t last) {
                constexpr int64_t N = decltype(count)::value;
                Vector s[N] = {}, q[N] = {}, o[N];
#pragma GCC unroll 8
                for (int64_t k = 0; k < N; k++)
                    o[k] = load(origins.data() + column + k * Lanes);
                Cursor<T> values(x, grid, column);
                for (int64_t i = begin; i < end; i++) {
                    const T* at = values.row(i);
#pragma GCC unroll 8
                    for (int64_t k = 0; k < N; k++) {
                        Vector value = load(at + k * Lanes, k == N - 1 ? last : Lanes) - o[k];
                        s[k] += value;
                        q[k] += value * value;
                    }
                }
#pragma GCC unroll 8
                for (int64_t k = 0; k < N; k++) {
                    store(sums + column + k * Lanes, s[k]);
                    store(squares + column + k * Lanes, q[k]);
                }
            });
        },
        sum, square);
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

template <typename T, bool Sum, bool Relu, bool Past> void normalise_rows(const NormForward& n, const Grid& grid) {
    auto scales = repeated(n.scale, n.shape.channels, grid.fold);
    auto shifts = repeated(n.shift, n.shape.channels, grid.fold);
    parallel_tasks(grid.tasks(), [&](int64_t task) {
        each_block(grid.width, [&](auto count, int64_t column, int64_t last) {
            constexpr int64_t N = decltype(count)::value;
            Vector a[N], b[N];
#pragma GCC unroll 8
            for (int64_t k = 0; k < N; k++) {
                a[k] = load(scales.data() + column + k * Lanes);
                b[k] = load(shifts.data() + column + k * Lanes);
            }
            Cursor<T> from(n.x, grid, column), addend(n.addend, grid, column), to(n.y, grid, column);
            int64_t end = grid.begin(task + 1);
            for (int64_t i = grid.begin(task); i < end; i++) {
                const T *x = from.row(i), *other = addend.row(i);
                T* y = to.row(i);
#pragma GCC unroll 8
                for (int64_t k = 0; k < N; k++) {
                    int64_t lanes = k == N - 1 ? last : Lanes;
                    Vector value = load(x + k * Lanes, lanes) * a[k] + b[k];
                    if (Sum)
                        value += load(other + k * Lanes, lanes);
                    if (Relu)
                        value = positive_part(value);
                    if (Past)
                        stream(y + k * Lanes, value);
                    else
                        store(y + k * Lanes, value, lanes);
                }
            }
        });
        if (Past)
            finish_stream();
    });
}

template <typename T, bool Sum, bool Relu> void normalise_all(const NormForward& n) {
    int64_t channels = n.shape.channels;
    Grid grid(n.shape, dense(n.x, channels) && dense(n.addend, channels) && dense(n.y, channels));
    streams<T>(n.y, grid) ? normalise_rows<T, Sum, Relu, true>(n, grid) : normalise_rows<T, Sum, Relu, false>(n, grid);
    Remainder rest(grid, n.shape);
    if (rest.count > 0) {
        NormForward few = n;
        few.shape.rows = rest.count;
        for (RowView* view : {&few.x, &few.addend, &few.y})
            *view = from(*view, rest.first, n.element);
        normalise_rows<T, Sum, Relu, false>(few, Grid(few.shape, false));
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

} // namespace

void add_normalisation(Kernels& table) {
    table.moments = moments;
    table.normalise = normalise;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
