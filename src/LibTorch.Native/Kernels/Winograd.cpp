// 3×3 convolutions of stride 1 by Winograd's method: the filters' points, and the convolution with them. The gradient
// of the input is the same convolution with rotated filters.
#include "Finish.h"
#include "Tiles.h"
#include <algorithm>

namespace cnnspec {
namespace CNNSPEC_LEVEL {
namespace {

// Points GgGᵀ of 16 filters for each of the input channels, as the inner loop reads them:
// [filters/16][i][channels/together][j][16][together].
template <typename T> void filters_of(const FilterShape& s, const float* weight, T* points) {
    constexpr int64_t together = Together<T>;
    Words lane;
    for (int64_t k = 0; k < Lanes; k++)
        lane[k] = static_cast<uint32_t>(k * s.filterStride);
    int64_t blocks = s.filters / Lanes, pairs = s.channels / together;
    for (int64_t block = 0; block < blocks; block++)
        for (int64_t pair = 0; pair < pairs; pair++) {
            Vector u[together][4][4];
            for (int64_t q = 0; q < together; q++) {
                const float* from = weight + block * Lanes * s.filterStride + (pair * together + q) * s.channelStride;
                Vector g[3][3], t[4][3];
                for (int tap = 0; tap < 9; tap++)
                    g[tap / 3][tap % 3] =
                        (Vector)_mm512_i32gather_ps((__m512i)lane, from + (s.rotated ? 8 - tap : tap), 4);
                for (int j = 0; j < 3; j++) {
                    t[0][j] = g[0][j];
                    t[1][j] = 0.5f * (g[0][j] + g[1][j] + g[2][j]);
                    t[2][j] = 0.5f * (g[0][j] - g[1][j] + g[2][j]);
                    t[3][j] = g[2][j];
                }
                for (int i = 0; i < 4; i++) {
                    u[q][i][0] = t[i][0];
                    u[q][i][1] = 0.5f * (t[i][0] + t[i][1] + t[i][2]);
                    u[q][i][2] = 0.5f * (t[i][0] - t[i][1] + t[i][2]);
                    u[q][i][3] = t[i][2];
                }
            }
            for (int64_t i = 0; i < 4; i++)
                for (int64_t j = 0; j < 4; j++) {
                    T* to = points + (((block * 4 + i) * pairs + pair) * 4 + j) * Lanes * together;
                    if constexpr (together == 1)
                        store(to, u[0][i][j]);
                    else
                        store_pair(to, 0, u[0][i][j], u[1][i][j]);
                }
        }
}

// The 2×2 outputs of R tiles for 16 filters. Inputs' points lie [channels/Chunk][i][tile][j][Chunk], Steps lanes a
// chunk. One row i of points is summed over the channels in registers, then AᵀmA adds it to the outputs.
template <typename T, int Steps, int R>
inline void tile_outputs(const T* points, int64_t chunks, int64_t row, int64_t chunk, const T* filters,
                         Vector out[R][4]) {
    constexpr int64_t together = Together<T>, Chunk = Steps * together;
    for (int r = 0; r < R; r++)
        for (int q = 0; q < 4; q++)
            out[r][q] = Vector{};
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
        Vector m[R][4];
#pragma GCC unroll 4
        for (int r = 0; r < R; r++)
            for (int j = 0; j < 4; j++)
                m[r][j] = Vector{};
        for (int64_t q = 0; q < chunks; q++) {
            const T* v = points + q * chunk + i * row;
#pragma GCC unroll 2
            for (int step = 0; step < Steps; step++) {
                Vector u[4];
#pragma GCC unroll 4
                for (int j = 0; j < 4; j++)
                    std::memcpy(&u[j], filters + j * Lanes * together, sizeof u[j]);
                filters += 4 * Lanes * together;
#pragma GCC unroll 4
                for (int r = 0; r < R; r++)
#pragma GCC unroll 4
                    for (int j = 0; j < 4; j++)
                        m[r][j] = multiply_add(m[r][j], u[j], v + (r * 4 + j) * Chunk);
                v += together;
            }
        }
#pragma GCC unroll 4
        for (int r = 0; r < R; r++) {
            Vector left = m[r][0] + m[r][1] + m[r][2], right = m[r][1] - m[r][2] - m[r][3];
            if (i < 3) {
                out[r][0] += left;
                out[r][1] += right;
            }
            if (i == 1) {
                out[r][2] += left;
                out[r][3] += right;
            }
            if (i > 1) {
                out[r][2] -= left;
                out[r][3] -= right;
            }
        }
    }
}

template <typename T> struct Destination {
    T* at;
    bool right, below; // whether the second column and the second row are within the map
};

// Rows of tiles, some at a time, so that their points stay in the cache.
template <typename T, int Steps> class Rows {
    static constexpr int64_t Chunk = Steps * Together<T>;
    const ConvShape& s;
    const TileGrid grid;
    const T *x, *filters;
    const ConvEnd& end;
    T* y;
    const int64_t most; // rows at a time
    const std::vector<T> zeros;
    const Scratch<T> points;
    std::vector<Destination<T>> destinations;

public:
    Rows(const ConvShape& shape, const T* x, const T* filters, const ConvEnd& end, T* y)
        : s(shape), grid(shape), x(x), filters(filters), end(end), y(y),
          most(std::max<int64_t>(1, std::min<int64_t>(48 / grid.across, grid.rows))), zeros(s.channels),
          points(16 * s.channels * most * grid.across + 4 * s.channels / Chunk * Slack),
          destinations(most * grid.across) {}

    void run(int64_t begin, int64_t end) {
        for (int64_t first = begin; first < end; first += most)
            block(first, std::min(most, end - first));
    }

private:
    void block(int64_t first, int64_t rows) {
        int64_t tiles = rows * grid.across, row = tiles * 4 * Chunk + Slack, chunk = 4 * row;
        for (int64_t r = 0; r < rows; r++) {
            int64_t image = (first + r) / grid.down, down = (first + r) % grid.down;
            for (int64_t across = 0; across < grid.across; across += 2)
                inputs(image, down, across, r * grid.across + across, row, chunk);
        }
        ReadAhead next(x, grid.line(first + rows, s.height), 2 * most, s.width * s.channels,
                       (tiles / 3 + 1) * s.filters / Lanes);
        for (int64_t k = 0; k < s.filters; k += Lanes) {
            const T* u = filters + k * 16 * s.channels;
            const Finish<T> finish(end, y, k, Lanes);
            int64_t tile = 0;
            for (; tile + 3 <= tiles; tile += 3) {
                next.more();
                outputs<3>(tile, k, row, chunk, u, finish);
            }
            for (; tile < tiles; tile++)
                outputs<1>(tile, k, row, chunk, u, finish);
        }
    }

    void inputs(int64_t image, int64_t down, int64_t across, int64_t tile, int64_t row, int64_t chunk) {
        for (int64_t next = 0; next < 2; next++) {
            int64_t left = 2 * (across + next);
            T* at = y + ((image * s.outHeight + 2 * down) * s.outWidth + left) * s.filters;
            destinations[tile + next] = {left < s.outWidth ? at : nullptr, left + 1 < s.outWidth,
                                         2 * down + 1 < s.outHeight};
            // Lines are fetched before they can be written in part.
            for (int64_t k = 0; k < 2 * s.filters; k += 64 / sizeof(T)) {
                __builtin_prefetch(at + k, /*write=*/1, /*into the second level=*/2);
                __builtin_prefetch(at + s.outWidth * s.filters + k, 1, 2);
            }
        }
        InputWindow<T> window(s, x, zeros.data(), image, down, across);
        for (int64_t c = 0; c < s.channels; c += Lanes) {
            T* to = points.get() + c / Chunk * chunk + c % Chunk + tile * 4 * Chunk;
            window.points(c, [&](int i, int j, Vector first, Vector second) {
                store(to + i * row + j * Chunk, first);
                store(to + i * row + (4 + j) * Chunk, second);
            });
        }
    }

    template <int R>
    void outputs(int64_t tile, int64_t k, int64_t row, int64_t chunk, const T* u, const Finish<T>& finish) {
        Vector out[R][4];
        tile_outputs<T, Steps, R>(points.get() + tile * 4 * Chunk, s.channels / Chunk, row, chunk, u, out);
        int64_t right = s.filters, below = s.outWidth * s.filters;
#pragma GCC unroll 3
        for (int r = 0; r < R; r++) {
            const Destination<T>& to = destinations[tile + r];
            if (to.at == nullptr)
                continue;
            finish.write(to.at + k, out[r][0]);
            if (to.right)
                finish.write(to.at + k + right, out[r][1]);
            if (to.below)
                finish.write(to.at + k + below, out[r][2]);
            if (to.right & to.below)
                finish.write(to.at + k + below + right, out[r][3]);
        }
    }
};

template <typename T, int Steps>
void convolve(const ConvShape& shape, const T* x, const T* filters, const ConvEnd& end, T* y) {
    int64_t rows = TileGrid(shape).rows, count = std::min<int64_t>(rows, 64);
    parallel_workers(count, [&](Tasks& tasks) {
        Rows<T, Steps> work(shape, x, filters, end, y);
        for (int64_t task; (task = tasks.next()) >= 0;)
            work.run(rows * task / count, rows * (task + 1) / count);
    });
}

void winograd_filters(Element element, const FilterShape& shape, const float* weight, void* points) {
    if (element == Element::Float32)
        filters_of(shape, weight, static_cast<float*>(points));
    else
        filters_of(shape, weight, static_cast<BFloat16*>(points));
}

void winograd(Element element, const ConvShape& shape, const void* x, const void* filters, const ConvEnd& end,
              void* y) {
    if (element == Element::Float32)
        convolve<float, 16>(shape, static_cast<const float*>(x), static_cast<const float*>(filters), end,
                            static_cast<float*>(y));
    else if (shape.channels % 32 == 0)
        convolve<BFloat16, 16>(shape, static_cast<const BFloat16*>(x), static_cast<const BFloat16*>(filters), end,
                               static_cast<BFloat16*>(y));
    else
        convolve<BFloat16, 8>(shape, static_cast<const BFloat16*>(x), static_cast<const BFloat16*>(filters), end,
                              static_cast<BFloat16*>(y));
}

} // namespace

void add_winograd(Kernels& table) {
    table.winograd_filters = winograd_filters;
    table.winograd = winograd;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
