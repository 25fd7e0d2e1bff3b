// The gradient of 3×3 filters by Winograd's method: at each point the sum over all tiles of the input's point times the
// output gradient's AdyAᵀ, a matrix product, and then GᵀuG.
#include "Parts.h"
#include "Tiles.h"
#include <algorithm>

namespace cnnspec {
namespace CNNSPEC_LEVEL {
namespace {

// The points of output gradients of two neighbouring tiles; put as InputWindow::points. The last row and column come
// with their sign turned, which filter_gradient turns back.
template <typename T, typename Put> inline void gradient_points(const T* const at[2][4], int64_t channel, Put&& put) {
    Vector y[2][4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        y[0][j] = load(at[0][j] + channel);
        y[1][j] = load(at[1][j] + channel);
    }
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        Vector e[4];
#pragma GCC unroll 4
        for (int j = 0; j < 4; j++)
            e[j] = i == 0 ? y[0][j] : i == 1 ? y[0][j] + y[1][j] : i == 2 ? y[0][j] - y[1][j] : y[1][j];
        put(i, 0, e[0], e[2]);
        put(i, 1, e[0] + e[1], e[2] + e[3]);
        put(i, 2, e[0] - e[1], e[2] - e[3]);
        put(i, 3, e[1], e[3]);
    }
}

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
template <typename T> class Rows {
    static constexpr int64_t together = Together<T>;
    const ConvShape& s;
    const TileGrid grid;
    const T *x, *dy;
    const int64_t most;
    const std::vector<T> zeros;
    const Scratch<T> inputs, gradients;

public:
    Rows(const ConvShape& shape, const T* x, const T* dy)
        : s(shape), grid(shape), x(x), dy(dy),
          most(std::max<int64_t>(1, std::min<int64_t>(64 / grid.across, grid.rows))),
          zeros(std::max(s.channels, s.filters)), inputs(16 * (most * grid.across * s.channels + Slack)),
          gradients(16 * (most * grid.across * s.filters + Slack)) {}

    void run(int64_t begin, int64_t end, float* sums) {
        for (int64_t first = begin; first < end; first += most)
            block(first, std::min(most, end - first), sums);
    }

private:
    void block(int64_t first, int64_t rows, float* sums) {
        int64_t tiles = rows * grid.across, point = tiles * s.channels + Slack,
                gradientPoint = tiles * s.filters + Slack;
        for (int64_t r = 0; r < rows; r++) {
            int64_t image = (first + r) / grid.down, down = (first + r) % grid.down;
            for (int64_t across = 0; across < grid.across; across += 2) {
                int64_t tile = r * grid.across + across;
                InputWindow<T> window(s, x, zeros.data(), image, down, across);
                for (int64_t c = 0; c < s.channels; c += Lanes)
                    window.points(c, [&](int i, int j, Vector one, Vector two) {
                        store_pair(inputs.get() + (4 * i + j) * point + tile * s.channels + c * together, s.channels,
                                   one, two);
                    });
                const T* at[2][4];
                for (int64_t i = 0; i < 2; i++)
                    for (int64_t j = 0; j < 4; j++) {
                        int64_t h = 2 * down + i, w = 2 * across + j;
                        at[i][j] = h < s.outHeight && w < s.outWidth
                                       ? dy + ((image * s.outHeight + h) * s.outWidth + w) * s.filters
                                       : zeros.data();
                    }
                for (int64_t k = 0; k < s.filters; k += Lanes)
                    gradient_points(at, k, [&](int i, int j, Vector one, Vector two) {
                        store_pair(gradients.get() + (4 * i + j) * gradientPoint + tile * s.filters + k * together,
                                   s.filters, one, two);
                    });
            }
        }
        int64_t turns = 16 * s.channels / Lanes * s.filters / Lanes;
        ReadAhead nextInputs(x, grid.line(first + rows, s.height), 2 * most, s.width * s.channels, turns);
        ReadAhead nextGradients(dy, grid.line(first + rows, s.outHeight), 2 * most, s.outWidth * s.filters, turns);
        for (int64_t p = 0; p < 16; p++)
            for (int64_t c = 0; c < s.channels; c += Lanes)
                for (int64_t k = 0; k < s.filters; k += Lanes) {
                    nextInputs.more();
                    nextGradients.more();
                    add_products(sums + (p * s.channels + c) * s.filters + k, s.filters,
                                 inputs.get() + p * point + c * together, s.channels * together,
                                 gradients.get() + p * gradientPoint + k * together, s.filters * together,
                                 tiles / together);
                }
    }
};

template <typename T> void filter_gradient(const ConvShape& s, const T* x, const T* dy, float* dweight) {
    int64_t rows = TileGrid(s).rows, size = 16 * s.channels * s.filters;
    Parts parts(size, rows);
    parallel_workers(parts.count, [&](Tasks& tasks) {
        Rows<T> work(s, x, dy);
        for (int64_t part; (part = tasks.next()) >= 0;)
            work.run(rows * part / parts.count, rows * (part + 1) / parts.count, parts.zeroed(part));
    });
    int64_t plane = s.channels * s.filters;
    parallel_tasks(s.channels, [&](int64_t c) {
        for (int64_t k = 0; k < s.filters; k += Lanes) {
            int64_t at = c * s.filters + k;
            Vector u[4][4], t[3][4];
            for (int64_t p = 0; p < 16; p++) {
                Vector sum = parts.sum(p * plane + at);
                u[p / 4][p % 4] = (p / 4 == 3) != (p % 4 == 3) ? -sum : sum;
            }
            for (int j = 0; j < 4; j++) {
                t[0][j] = u[0][j] + 0.5f * (u[1][j] + u[2][j]);
                t[1][j] = 0.5f * (u[1][j] - u[2][j]);
                t[2][j] = 0.5f * (u[1][j] + u[2][j]) + u[3][j];
            }
            float* to = dweight + (k * s.channels + c) * 9;
            for (int i = 0; i < 3; i++) {
                Parts::scatter(to + 3 * i, 9 * s.channels, t[i][0] + 0.5f * (t[i][1] + t[i][2]));
                Parts::scatter(to + 3 * i + 1, 9 * s.channels, 0.5f * (t[i][1] - t[i][2]));
                Parts::scatter(to + 3 * i + 2, 9 * s.channels, 0.5f * (t[i][1] + t[i][2]) + t[i][3]);
            }
        }
    });
}

void winograd_gradient(Element element, const ConvShape& shape, const void* x, const void* dy, float* dweight) {
    if (element == Element::Float32)
        filter_gradient(shape, static_cast<const float*>(x), static_cast<const float*>(dy), dweight);
    else
        filter_gradient(shape, static_cast<const BFloat16*>(x), static_cast<const BFloat16*>(dy), dweight);
}

} // namespace

void add_winograd_gradient(Kernels& table) {
    table.winograd_gradient = winograd_gradient;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
