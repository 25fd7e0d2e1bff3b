// The gradient of 3×3 and 5×5 filters by Winograd's method: at each point the sum over all tiles of the input's point
// times the output gradient's AdyAᵀ, a matrix product, and then GᵀuG.
#include "Parts.h"
#include "Tiles.h"
#include <algorithm>

namespace cnnspec {
namespace CNNSPEC_LEVEL {
namespace {

// sums[16 channels][filters] += Σ over steps of v · d, for 16 filters.
template <typename T>
inline void add_products(float* sums, int64_t filters, const T* v, int64_t vStep, const T* d, int64_t dStep,
                         int64_t steps) {
    Vector acc[Lanes];
#pragma GCC unroll 16
    for (int c = 0; c < Lanes; c++)
        acc[c] = load(sums + c * filters);
    for (int64_t step = 0; step < steps; step++) {
        Vector w;
        std::memcpy(&w, d, sizeof w);
#pragma GCC unroll 16
        for (int c = 0; c < Lanes; c++)
            acc[c] = multiply_add(acc[c], w, v + c * Together<T>);
        v += vStep;
        d += dStep;
    }
#pragma GCC unroll 16
    for (int c = 0; c < Lanes; c++)
        store(sums + c * filters, acc[c]);
}

// Points of some rows of tiles, [point][tiles/together][channels][together], and the same of the output's gradient.
template <int Outputs, typename T> class Rows {
    static constexpr int64_t together = Together<T>;
    static constexpr int Plane = Points * Points;
    const ConvShape& s;
    const TileGrid grid;
    const T *x, *dy;
    const int64_t channels, filters, most; // most: rows at a time
    const std::vector<T> zeros;
    const Scratch<T> inputs, gradients;

public:
    Rows(const ConvShape& shape, const T* x, const T* dy)
        : s(shape), grid(shape), x(x), dy(dy), channels(padded(s.channels)), filters(padded(s.filters)),
          most(grid.rows_of(64)), zeros(std::max(s.channels, s.filters)),
          inputs(Plane * (most * grid.across * channels + Slack)),
          gradients(Plane * (most * grid.across * filters + Slack)) {}

    void run(int64_t begin, int64_t end, float* sums) {
        for (int64_t first = begin; first < end; first += most)
            block(first, std::min(most, end - first), sums);
    }

private:
    void block(int64_t first, int64_t rows, float* sums) {
        int64_t tiles = rows * grid.across, point = tiles * channels + Slack, gradientPoint = tiles * filters + Slack;
        for (int64_t r = 0; r < rows; r++) {
            int64_t image = (first + r) / grid.down, down = (first + r) % grid.down;
            for (int64_t across = 0; across < grid.across; across += 2) {
                int64_t tile = r * grid.across + across;
                InputWindow<Outputs, T> window(s, x, zeros.data(), image, down, across);
                for (int64_t c = 0; c < s.channels; c += Lanes)
                    window.points(c, std::min(Lanes, s.channels - c),
                                  to_rows(inputs.get() + tile * channels + c * together, point, channels));
                gradient(image, down, across, gradients.get() + tile * filters, gradientPoint);
            }
        }
        int64_t turns = Plane * channels / Lanes * filters / Lanes;
        ReadAhead nextInputs(x, grid.line(first + rows, s.height), Outputs * most, s.width * s.channels, turns);
        ReadAhead nextGradients(dy, grid.line(first + rows, s.outHeight), Outputs * most, s.outWidth * s.filters,
                                turns);
        for (int64_t p = 0; p < Plane; p++)
            for (int64_t c = 0; c < channels; c += Lanes)
                for (int64_t k = 0; k < filters; k += Lanes) {
                    nextInputs.more();
                    nextGradients.more();
                    add_products(sums + (p * channels + c) * filters + k, filters,
                                 inputs.get() + p * point + c * together, channels * together,
                                 gradients.get() + p * gradientPoint + k * together, filters * together,
                                 tiles / together);
                }
    }

    // The points AdyAᵀ of two neighbouring tiles.
    void gradient(int64_t image, int64_t down, int64_t across, T* to, int64_t point) const {
        const T* at[Outputs][2 * Outputs];
        for (int64_t i = 0; i < Outputs; i++)
            for (int64_t j = 0; j < 2 * Outputs; j++) {
                int64_t h = Outputs * down + i, w = Outputs * across + j;
                at[i][j] = h < s.outHeight && w < s.outWidth
                               ? dy + ((image * s.outHeight + h) * s.outWidth + w) * s.filters
                               : zeros.data();
            }
        for (int64_t k = 0; k < s.filters; k += Lanes) {
            int64_t count = std::min(Lanes, s.filters - k);
            tiles_points<Outputs, Outputs>([&](int i, int j) { return load(at[i][j] + k, count); }, evaluate<Outputs>,
                                           to_rows(to + k * together, point, filters));
        }
    }

    // Takes rows of points of two tiles, and stores them in pairs.
    static auto to_rows(T* to, int64_t point, int64_t next) {
        return [=](int i, const Vector* one, const Vector* two) {
#pragma GCC unroll 6
            for (int j = 0; j < Points; j++)
                store_pair(to + (Points * i + j) * point, next, one[j], two[j]);
        };
    }
};

template <int Outputs, typename T>
void filter_gradient(const ConvShape& s, const void* x, const void* dy, float* dweight) {
    constexpr int Taps = taps_of(Outputs), Each = Taps * Taps;
    int64_t rows = TileGrid(s).rows, filters = padded(s.filters), plane = padded(s.channels) * filters;
    Parts parts(Points * Points * plane, rows);
    parallel_workers(parts.count, [&](Tasks& tasks) {
        Rows<Outputs, T> work(s, static_cast<const T*>(x), static_cast<const T*>(dy));
        for (int64_t part; (part = tasks.next()) >= 0;)
            work.run(rows * part / parts.count, rows * (part + 1) / parts.count, parts.zeroed(part));
    });
    parallel_tasks(s.channels, [&](int64_t c) {
        for (int64_t k = 0; k < s.filters; k += Lanes) {
            Vector t[Taps][Points];
            for (int j = 0; j < Points; j++) {
                Vector u[Points], column[Taps];
                for (int i = 0; i < Points; i++)
                    u[i] = share_of(i) * share_of(j) * parts.sum((Points * i + j) * plane + c * filters + k);
                gather<Taps>(u, column);
                for (int i = 0; i < Taps; i++)
                    t[i][j] = column[i];
            }
            float* to = dweight + (k * s.channels + c) * Each;
            for (int i = 0; i < Taps; i++) {
                Vector row[Taps];
                gather<Taps>(t[i], row);
                for (int j = 0; j < Taps; j++)
                    Parts::scatter(to + i * Taps + j, s.channels * Each, row[j], std::min(Lanes, s.filters - k));
            }
        }
    });
}

void winograd_gradient(Element element, const ConvShape& s, const void* x, const void* dy, float* dweight) {
    bool three = s.kernelHeight == 3;
    auto by = element == Element::Float32 ? (three ? filter_gradient<4, float> : filter_gradient<2, float>)
                                          : (three ? filter_gradient<4, BFloat16> : filter_gradient<2, BFloat16>);
    by(s, x, dy, dweight);
}

} // namespace

void add_winograd_gradient(Kernels& table) {
    table.winograd_gradient = winograd_gradient;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
