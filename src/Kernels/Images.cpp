// Convolutions of images of one channel, where a vector of channels would be empty but for one: a window's values are
// taken one by one, each times a vector of filters. Where a vector has room for twice the filters, two neighbouring
// windows share it.
#include "Finish.h"
#include "Parts.h"
#include "Rows.h"
#include <algorithm>
#include <vector>

namespace cnnspec {
namespace CNNSPEC_LEVEL {
namespace {

// Windows in a vector: lane P·k + p is filter k's of window p.
bool pairs_up(const ConvShape& s) {
    return 2 * s.filters <= Lanes && s.strideWidth == 1;
}

// The value at the same place of P neighbouring windows, beside every filter.
template <int P> inline Vector spread(const float* value) {
    if (P == 1)
        return splat(*value);
    double both;
    std::memcpy(&both, value, sizeof both);
    return (Vector)_mm512_set1_pd(both);
}

// The filters of P windows in a vector, from those of each, and back.
template <int P> inline Vector together(Vector first, Vector second) {
    const __m512i order = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return P == 1 ? first : (Vector)_mm512_permutex2var_ps((__m512)first, order, (__m512)second);
}

template <int P> inline Vector apart(Vector both, int window) {
    const __m512i order = _mm512_set_epi32(15, 13, 11, 9, 7, 5, 3, 1, 14, 12, 10, 8, 6, 4, 2, 0);
    if (P == 1)
        return both;
    auto ordered = _mm512_permutexvar_ps(order, (__m512)both);
    return (Vector)(window == 0 ? ordered : (__m512)_mm512_shuffle_f64x2((__m512d)ordered, (__m512d)ordered, 0xee));
}

// Some rows of one image's outputs, and what they read of the image as floats, with zeros where windows hang over its
// edges.
class Band {
    const ConvShape& s;
    const int64_t width; // of the frame
    std::vector<float> frame;

public:
    std::vector<int64_t> values; // where each of a window lies from its first

    explicit Band(const ConvShape& s)
        : s(s), width(std::max(s.width + s.padLeft,
                               (s.outWidth - 1) * s.strideWidth + (s.kernelWidth - 1) * s.dilationWidth + 1)) {
        for (int64_t i = 0; i < s.kernelHeight; i++)
            for (int64_t j = 0; j < s.kernelWidth; j++)
                values.push_back(i * s.dilationHeight * width + j * s.dilationWidth);
    }

    template <typename T> void read(const T* x, int64_t image, int64_t first, int64_t last) {
        int64_t top = first * s.strideHeight - s.padTop;
        int64_t rows = (last - 1 - first) * s.strideHeight + (s.kernelHeight - 1) * s.dilationHeight + 1;
        frame.assign(rows * width + 1, 0.0f); // the last window's neighbour reads one more
        int64_t count = std::min(s.width, width - s.padLeft);
        for (int64_t i = std::max<int64_t>(0, -top); i < std::min(rows, s.height - top); i++) {
            const T* from = x + (image * s.height + top + i) * s.width;
            float* to = frame.data() + i * width + s.padLeft;
            for (int64_t at = 0; at < count; at += Lanes) {
                int64_t lanes = std::min(Lanes, count - at);
                store(to + at, load(from + at, lanes), lanes);
            }
        }
    }

    // The first value of the window of an output, whose row counts from the band's first.
    const float* window(int64_t row, int64_t column) const {
        return frame.data() + row * s.strideHeight * width + column * s.strideWidth;
    }
};

// Output rows are cut so that what a band reads and writes stays in the cache.
struct Bands {
    int64_t each, count;
    explicit Bands(const ConvShape& s)
        : each(std::clamp<int64_t>(s.outHeight * s.outWidth / 1024, 1, s.outHeight)), count(s.images * each) {}

    // visit(image, first output row, the row after the last)
    template <typename Visit> void visit(const ConvShape& s, int64_t band, Visit&& visit) const {
        int64_t part = band % each;
        visit(band / each, s.outHeight * part / each, s.outHeight * (part + 1) / each);
    }
};

// What several vectors of windows give with one of filters: independent sums, as many as keep the processor busy.
template <int P, typename T> class Windows {
    static constexpr int64_t Vectors = 12;
    const ConvShape& s;
    const Band& band;
    const float* filters;
    const Finish<T> finish;

public:
    Windows(const ConvShape& s, const Band& band, const float* filters, const ConvEnd& end, T* y, int64_t k)
        : s(s), band(band), filters(filters), finish(end, y, k, std::min(Lanes, s.filters - k)) {}

    void write(int64_t row, T* to) const {
        for (int64_t column = 0; column < s.outWidth;)
            with_count<1, Vectors>(std::min(Vectors, (s.outWidth - column + P - 1) / P), [&](auto count) {
                products<count>(band.window(row, column), to, column);
                column += count * P;
            });
    }

private:
    template <int Count> void products(const float* window, T* to, int64_t column) const {
        Vector sums[Count] = {};
        const float* filter = filters;
        const int64_t step = P * s.strideWidth;
        for (int64_t value : band.values) {
            Vector w = load(filter);
            filter += Lanes;
#pragma GCC unroll 12
            for (int v = 0; v < Count; v++)
                sums[v] += w * spread<P>(window + value + v * step);
        }
#pragma GCC unroll 12
        for (int v = 0; v < Count; v++)
#pragma GCC unroll 2
            for (int p = 0; p < P; p++)
                if (int64_t at = column + v * P + p; at < s.outWidth)
                    finish.write(to + at * s.filters, apart<P>(sums[v], p));
    }
};

template <int P, typename T>
void convolve(const ConvShape& s, const T* x, const float* weight, const ConvEnd& end, T* y) {
    // [filters in vectors][values][Lanes]
    const int64_t values = s.kernelHeight * s.kernelWidth;
    std::vector<float> filters(padded(s.filters) * values);
    for (int64_t k = 0; k < s.filters; k++)
        for (int64_t value = 0; value < values; value++)
            for (int64_t p = 0; p < P; p++)
                filters[(k / Lanes * values + value) * Lanes + k % Lanes * P + p] = weight[k * values + value];
    Bands bands(s);
    parallel_workers(bands.count, [&](Tasks& tasks) {
        Band band(s);
        for (int64_t task; (task = tasks.next()) >= 0;)
            bands.visit(s, task, [&](int64_t image, int64_t first, int64_t last) {
                band.read(x, image, first, last);
                for (int64_t k = 0; k < s.filters; k += Lanes) {
                    Windows<P, T> out(s, band, filters.data() + k * values, end, y, k);
                    for (int64_t row = first; row < last; row++)
                        out.write(row - first, y + (image * s.outHeight + row) * s.outWidth * s.filters + k);
                }
            });
    });
}

// sums[V values][filters] += Σ x · dy over a band's rows, for one vector of filters; dy begins with the band's.
template <int P, int V, typename T>
void add_products(const ConvShape& s, const Band& band, const int64_t* values, const T* dy, int64_t rows, int64_t count,
                  float* sums, int64_t step) {
    Vector acc[V];
    int64_t at[V];
#pragma GCC unroll 14
    for (int v = 0; v < V; v++) {
        acc[v] = load(sums + v * step);
        at[v] = values[v];
    }
    for (int64_t row = 0; row < rows; row++) {
        const float* window = band.window(row, 0);
        for (int64_t column = 0; column < s.outWidth; column += P) {
            bool second = P == 2 && column + 1 < s.outWidth;
            Vector g = together<P>(load(dy, count), second ? load(dy + s.filters, count) : Vector{});
#pragma GCC unroll 14
            for (int v = 0; v < V; v++)
                acc[v] += g * spread<P>(window + at[v]);
            window += P * s.strideWidth;
            dy += (second ? 2 : 1) * s.filters;
        }
    }
#pragma GCC unroll 14
    for (int v = 0; v < V; v++)
        store(sums + v * step, acc[v]);
}

template <int P, typename T> void gradient(const ConvShape& s, const T* x, const T* dy, float* dweight) {
    constexpr int64_t Most = 14; // sums, and where their values lie, are kept in registers
    const int64_t filters = padded(s.filters), values = s.kernelHeight * s.kernelWidth;
    const int64_t blocks = (values + Most - 1) / Most;
    Bands bands(s);
    Parts parts(values * filters, bands.count);
    parallel_workers(parts.count, [&](Tasks& tasks) {
        Band band(s);
        for (int64_t part; (part = tasks.next()) >= 0;) {
            float* sums = parts.zeroed(part);
            auto add = [&](int64_t image, int64_t first, int64_t last) {
                band.read(x, image, first, last);
                const T* from = dy + (image * s.outHeight + first) * s.outWidth * s.filters;
                for (int64_t k = 0; k < s.filters; k += Lanes)
                    for (int64_t b = 0; b < blocks; b++) {
                        int64_t value = values * b / blocks;
                        with_count<1, Most>(values * (b + 1) / blocks - value, [&](auto count) {
                            add_products<P, count>(s, band, band.values.data() + value, from + k, last - first,
                                                   std::min(Lanes, s.filters - k), sums + value * filters + k, filters);
                        });
                    }
            };
            for (int64_t task = bands.count * part / parts.count; task < bands.count * (part + 1) / parts.count; task++)
                bands.visit(s, task, add);
        }
    });
    for (int64_t value = 0; value < values; value++)
        for (int64_t k = 0; k < s.filters; k += Lanes) {
            Vector both = parts.sum(value * filters + k), sum = apart<P>(both, 0);
            if (P == 2)
                sum += apart<P>(both, 1);
            Parts::scatter(dweight + k * values + value, values, sum, std::min(Lanes, s.filters - k));
        }
}

void image(Element element, const ConvShape& s, const void* x, const float* weight, const ConvEnd& end, void* y) {
    auto run = [&](auto* from, auto* to) {
        pairs_up(s) ? convolve<2>(s, from, weight, end, to) : convolve<1>(s, from, weight, end, to);
    };
    if (element == Element::Float32)
        run(static_cast<const float*>(x), static_cast<float*>(y));
    else
        run(static_cast<const BFloat16*>(x), static_cast<BFloat16*>(y));
}

void image_gradient(Element element, const ConvShape& s, const void* x, const void* dy, float* dweight) {
    auto run = [&](auto* from, auto* of) {
        pairs_up(s) ? gradient<2>(s, from, of, dweight) : gradient<1>(s, from, of, dweight);
    };
    if (element == Element::Float32)
        run(static_cast<const float*>(x), static_cast<const float*>(dy));
    else
        run(static_cast<const BFloat16*>(x), static_cast<const BFloat16*>(dy));
}

} // namespace

void add_images(Kernels& table) {
    table.image = image;
    table.image_gradient = image_gradient;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
