// 3×3 and 5×5 convolutions of stride 1 by Winograd's method: the filters' points, and the convolution with them. The
// gradient of the input is the same convolution with rotated filters.
#include "Finish.h"
#include "Tiles.h"

namespace cnnspec {
namespace CNNSPEC_LEVEL {
namespace {

// Points GgGᵀ of 16 filters for each of the input channels, as the inner loop reads them:
// [filters/16][i][channels/together][j][16][together].
template <int Outputs, typename T> void filters_of(const FilterShape& s, const float* weight, T* points) {
    constexpr int64_t together = Together<T>;
    constexpr int Taps = taps_of(Outputs), Each = Taps * Taps;
    Words lane;
    for (int64_t k = 0; k < Lanes; k++)
        lane[k] = static_cast<uint32_t>(k * s.filterStride);
    int64_t blocks = padded(s.filters) / Lanes, pairs = padded(s.channels) / together;
    parallel_tasks(blocks, [&](int64_t block) {
        for (int64_t pair = 0; pair < pairs; pair++) {
            Vector u[together][Points][Points];
            for (int64_t q = 0; q < together; q++) {
                int64_t channel = pair * together + q;
                __mmask16 there = channel < s.channels ? first_lanes(s.filters - block * Lanes) : 0;
                const float* from = weight + block * Lanes * s.filterStride + channel * s.channelStride;
                Vector t[Taps][Points];
                for (int j = 0; j < Taps; j++) {
                    Vector column[Taps];
                    for (int i = 0; i < Taps; i++) {
                        int tap = s.rotated ? Each - 1 - (i * Taps + j) : i * Taps + j;
                        column[i] = (Vector)_mm512_mask_i32gather_ps(__m512{}, there, (__m512i)lane, from + tap, 4);
                    }
                    evaluate<Taps>(column, t[j]);
                }
                for (int i = 0; i < Points; i++) {
                    Vector row[Taps];
                    for (int j = 0; j < Taps; j++)
                        row[j] = share_of(i) * t[j][i];
                    evaluate<Taps>(row, u[q][i]);
                }
            }
            for (int64_t i = 0; i < Points; i++)
                for (int64_t j = 0; j < Points; j++) {
                    T* to = points + (((block * Points + i) * pairs + pair) * Points + j) * Lanes * together;
                    if constexpr (together == 1)
                        store(to, share_of(j) * u[0][i][j]);
                    else
                        store_pair(to, 0, share_of(j) * u[0][i][j], share_of(j) * u[1][i][j]);
                }
        }
    });
}

// A row of a tile's points, 16 channels of each.
inline void store_row(float* to, const Vector v[Points]) {
#pragma GCC unroll 6
    for (int j = 0; j < Points; j++)
        store(to + j * Lanes, v[j]);
}

inline void store_row(BFloat16* to, const Vector v[Points]) {
#pragma GCC unroll 3
    for (int j = 0; j < Points; j += 2)
        _mm512_storeu_si512(to + j * Lanes, reinterpret<__m512i>(_mm512_cvtne2ps_pbh((__m512)v[j + 1], (__m512)v[j])));
}

// The outputs of R tiles for 16 filters. Inputs' points lie [channels/16][i][tile][j][16]. One row i of points is
// summed over the channels in registers.
template <int Outputs, typename T, int R>
inline void tile_outputs(const T* points, int64_t chunks, int64_t row, int64_t chunk, const T* filters,
                         Vector out[R][Outputs][Outputs]) {
    constexpr int64_t together = Together<T>;
    Vector rows[R][Outputs][Points];
    for (int i = 0; i < Points; i++) {
        Vector m[R][Points];
#pragma GCC unroll 4
        for (int r = 0; r < R; r++)
#pragma GCC unroll 6
            for (int j = 0; j < Points; j++)
                m[r][j] = Vector{};
        for (int64_t q = 0; q < chunks; q++) {
            const T* v = points + q * chunk + i * row;
#pragma GCC unroll 2
            for (int step = 0; step < Lanes / together; step++) {
                Vector u[Points];
#pragma GCC unroll 6
                for (int j = 0; j < Points; j++)
                    std::memcpy(&u[j], filters + j * Lanes * together, sizeof u[j]);
                filters += Points * Lanes * together;
#pragma GCC unroll 4
                for (int r = 0; r < R; r++)
#pragma GCC unroll 6
                    for (int j = 0; j < Points; j++)
                        m[r][j] = multiply_add(m[r][j], u[j], v + (r * Points + j) * Lanes);
                v += together;
            }
        }
#pragma GCC unroll 4
        for (int r = 0; r < R; r++) {
            Vector sums[Outputs];
            gather<Outputs>(m[r], sums);
#pragma GCC unroll 4
            for (int x = 0; x < Outputs; x++)
                rows[r][x][i] = sums[x];
        }
    }
    for (int r = 0; r < R; r++)
        for (int x = 0; x < Outputs; x++) {
            Vector column[Outputs];
            gather<Outputs>(rows[r][x], column);
#pragma GCC unroll 4
            for (int y = 0; y < Outputs; y++)
                out[r][y][x] = column[y];
        }
}

template <typename T> struct Destination {
    T* at;
    int64_t columns, rows; // of the tile that are within the map; none where it is outside
};

// As many as have room in the cache with their points.
constexpr int64_t BlockTiles = 48;

// Rows of tiles, some at a time, so that their points stay in the cache.
template <int Outputs, typename T> class Rows {
    // Tiles whose sums have registers enough.
    static constexpr int Side = 4;
    const ConvShape& s;
    const TileGrid grid;
    const T *x, *filters;
    const ConvEnd& end;
    T* y;
    const int64_t channels, most; // most: rows at a time
    const std::vector<T> zeros;
    const Scratch<T> points;
    std::vector<Destination<T>> destinations;

public:
    Rows(const ConvShape& shape, const T* x, const T* filters, const ConvEnd& end, T* y)
        : s(shape), grid(shape), x(x), filters(filters), end(end), y(y), channels(padded(s.channels)),
          most(grid.rows_of(BlockTiles)), zeros(s.channels),
          points(Points * (Points * channels * most * grid.across + channels / Lanes * Slack)),
          destinations(most * grid.across) {}

    // In blocks of about the same size.
    void run(int64_t begin, int64_t end) {
        int64_t rows = end - begin, blocks = (rows + most - 1) / most;
        for (int64_t i = 0; i < blocks; i++) {
            int64_t first = begin + rows * i / blocks;
            block(first, begin + rows * (i + 1) / blocks - first);
        }
    }

private:
    void block(int64_t first, int64_t rows) {
        int64_t tiles = rows * grid.across, row = tiles * Points * Lanes + Slack, chunk = Points * row;
        for (int64_t r = 0; r < rows; r++) {
            int64_t image = (first + r) / grid.down, down = (first + r) % grid.down;
            for (int64_t across = 0; across < grid.across; across += 2)
                inputs(image, down, across, r * grid.across + across, row, chunk);
        }
        ReadAhead next(x, grid.line(first + rows, s.height), Outputs * most, s.width * s.channels,
                       (tiles / Side + 1) * padded(s.filters) / Lanes);
        for (int64_t k = 0; k < s.filters; k += Lanes) {
            const T* u = filters + k * Points * Points * channels;
            const Finish<T> finish(end, y, k, std::min(Lanes, s.filters - k));
            int64_t tile = 0;
            for (; tile + Side <= tiles; tile += Side) {
                next.more();
                outputs<Side>(tile, k, row, chunk, u, finish);
            }
            for (; tile < tiles; tile++)
                outputs<1>(tile, k, row, chunk, u, finish);
        }
    }

    void inputs(int64_t image, int64_t down, int64_t across, int64_t tile, int64_t row, int64_t chunk) {
        for (int64_t next = 0; next < 2; next++) {
            int64_t top = Outputs * down, left = Outputs * (across + next);
            T* at = y + ((image * s.outHeight + top) * s.outWidth + left) * s.filters;
            Destination<T> to{at, std::min<int64_t>(Outputs, s.outWidth - left),
                              std::min<int64_t>(Outputs, s.outHeight - top)};
            destinations[tile + next] = to;
            // Lines are fetched before they can be written in part.
            for (int64_t line = 0; line < to.rows; line++)
                for (int64_t k = 0; k < to.columns * s.filters; k += 64 / sizeof(T))
                    __builtin_prefetch(at + line * s.outWidth * s.filters + k, /*write=*/1,
                                       /*into the second level=*/2);
        }
        InputWindow<Outputs, T> window(s, x, zeros.data(), image, down, across);
        for (int64_t c = 0; c < s.channels; c += Lanes) {
            T* to = points.get() + c / Lanes * chunk + tile * Points * Lanes;
            window.points(c, std::min(Lanes, s.channels - c), [&](int i, const Vector* first, const Vector* second) {
                store_row(to + i * row, first);
                store_row(to + i * row + Points * Lanes, second);
            });
        }
    }

    template <int R>
    void outputs(int64_t tile, int64_t k, int64_t row, int64_t chunk, const T* u, const Finish<T>& finish) {
        Vector out[R][Outputs][Outputs];
        tile_outputs<Outputs, T, R>(points.get() + tile * Points * Lanes, channels / Lanes, row, chunk, u, out);
        for (int r = 0; r < R; r++) {
            const Destination<T>& to = destinations[tile + r];
            for (int64_t i = 0; i < to.rows; i++)
                for (int64_t j = 0; j < to.columns; j++)
                    finish.write(to.at + (i * s.outWidth + j) * s.filters + k, out[r][i][j]);
        }
    }
};

template <int Outputs, typename T>
void convolve(const ConvShape& shape, const void* x, const void* filters, const ConvEnd& end, void* y) {
    // A task reads all filters, so it should have a block of tiles at least; but threads should finish at the same
    // time.
    TileGrid grid(shape);
    int64_t rows = grid.rows, most = grid.rows_of(BlockTiles), blocks = (rows + most - 1) / most;
    int64_t count = std::min(rows, std::min<int64_t>((blocks + 7) / 8 * 8, 64));
    parallel_workers(count, [&](Tasks& tasks) {
        Rows<Outputs, T> work(shape, static_cast<const T*>(x), static_cast<const T*>(filters), end, static_cast<T*>(y));
        for (int64_t task; (task = tasks.next()) >= 0;)
            work.run(rows * task / count, rows * (task + 1) / count);
    });
}

void winograd_filters(Element element, const FilterShape& shape, const float* weight, void* points) {
    bool three = shape.taps == 3;
    if (element == Element::Float32)
        (three ? filters_of<4, float> : filters_of<2, float>)(shape, weight, static_cast<float*>(points));
    else
        (three ? filters_of<4, BFloat16> : filters_of<2, BFloat16>)(shape, weight, static_cast<BFloat16*>(points));
}

void winograd(Element element, const ConvShape& shape, const void* x, const void* filters, const ConvEnd& end,
              void* y) {
    bool three = shape.kernelHeight == 3;
    auto by = element == Element::Float32 ? (three ? convolve<4, float> : convolve<2, float>)
                                          : (three ? convolve<4, BFloat16> : convolve<2, BFloat16>);
    by(shape, x, filters, end, y);
}

} // namespace

void add_winograd(Kernels& table) {
    table.winograd_filters = winograd_filters;
    table.winograd = winograd;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
