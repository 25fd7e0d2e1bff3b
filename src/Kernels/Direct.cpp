// Convolutions by their definition, for filters that are packed once and used often: in evaluation. No call prepares
// anything, so that small maps take the time of their products; oneDNN spends some 20 µs a call besides.
#include "Finish.h"
#include "Tiles.h"
#include <algorithm>
#include <vector>

namespace cnnspec {
namespace CNNSPEC_LEVEL {
namespace {

// Elements of one filter at one tap: channels that fill 32-bit lanes, the last lane maybe in part.
template <typename T> int64_t lanes_of(const ConvShape& s) {
    return (s.channels + Together<T> - 1) / Together<T>;
}

// Elements of a block of 16 filters: [taps][channels/together][16][together], absent ones zero.
template <typename T> int64_t block_size(const ConvShape& s) {
    return s.kernelHeight * s.kernelWidth * lanes_of<T>(s) * Lanes * Together<T>;
}

template <typename T> int64_t size_of(const ConvShape& s) {
    return (s.filters + Lanes - 1) / Lanes * block_size<T>(s);
}

inline void put(float* to, float value) {
    *to = value;
}

inline void put(BFloat16* to, float value) {
    store(to, splat(value), 1);
}

template <typename T> void pack(const ConvShape& s, const float* weight, T* packed) {
    constexpr int64_t together = Together<T>;
    int64_t taps = s.kernelHeight * s.kernelWidth;
    std::memset(packed, 0, size_of<T>(s) * sizeof(T));
    for (int64_t k = 0; k < s.filters; k++)
        for (int64_t c = 0; c < s.channels; c++)
            for (int64_t tap = 0; tap < taps; tap++) {
                int64_t lane = (tap * lanes_of<T>(s) + c / together) * Lanes + k % Lanes;
                put(packed + k / Lanes * block_size<T>(s) + lane * together + c % together,
                    weight[(k * s.channels + c) * taps + tap]);
            }
}

// Some rows of one image's outputs after the others. Where windows hang over the edge or channels fill a lane in part,
// the rows of the input that they read are copied to a frame of zeros first, so that no product need ask where it is.
template <typename T> class Band {
    static constexpr int64_t together = Together<T>, Pixels = 8;
    const ConvShape& s;
    const T *x, *filters;
    const ConvEnd& end;
    T* y;
    const int64_t lanes = lanes_of<T>(s), block = block_size<T>(s);
    const bool framed = s.padTop > 0 || s.padLeft > 0 || s.channels % together != 0;
    // Of the input, or of the frame: elements of a pixel and of a row, pixels in a row.
    const int64_t pixel = framed ? lanes * together : s.channels;
    const int64_t width =
        std::max(s.width + s.padLeft, (s.outWidth - 1) * s.strideWidth + (s.kernelWidth - 1) * s.dilationWidth + 1);
    const int64_t line = framed ? width * pixel : s.width * pixel;
    std::vector<T> frame;
    std::vector<int64_t> taps; // where each lies from its window's first

public:
    Band(const ConvShape& shape, const T* x, const T* filters, const ConvEnd& end, T* y)
        : s(shape), x(x), filters(filters), end(end), y(y) {
        for (int64_t i = 0; i < s.kernelHeight; i++)
            for (int64_t j = 0; j < s.kernelWidth; j++)
                taps.push_back(i * s.dilationHeight * line + j * s.dilationWidth * pixel);
    }

    void run(int64_t image, int64_t first, int64_t last) {
        const T* from = framed ? framed_rows(image, first, last)
                               : x + (image * s.height + first * s.strideHeight) * s.width * s.channels;
        T* to = y + (image * s.outHeight + first) * s.outWidth * s.filters;
        int64_t pixels = (last - first) * s.outWidth;
        for (int64_t k = 0; k < s.filters; k += 2 * Lanes)
            for (int64_t at = 0; at < pixels; at += Pixels) {
                // Beyond the last pixel the last one is worked out again.
                const T* windows[Pixels];
                T* outputs[Pixels];
                for (int64_t r = 0; r < Pixels; r++) {
                    int64_t p = std::min(at + r, pixels - 1), row = p / s.outWidth, column = p % s.outWidth;
                    windows[r] = from + row * s.strideHeight * line + column * s.strideWidth * pixel;
                    outputs[r] = to + p * s.filters + k;
                }
                if (k + Lanes < s.filters)
                    products<2>(windows, outputs, k);
                else
                    products<1>(windows, outputs, k);
            }
    }

private:
    const T* framed_rows(int64_t image, int64_t first, int64_t last) {
        int64_t top = first * s.strideHeight - s.padTop;
        int64_t rows = (last - 1 - first) * s.strideHeight + (s.kernelHeight - 1) * s.dilationHeight + 1;
        // One lane more: the last channel's is read whole.
        frame.assign(rows * line + together, T{});
        for (int64_t i = std::max<int64_t>(0, -top); i < std::min(rows, s.height - top); i++) {
            const T* row = x + (image * s.height + top + i) * s.width * s.channels;
            T* to = frame.data() + i * line + s.padLeft * pixel;
            if (pixel == s.channels)
                std::copy_n(row, std::min(s.width, width - s.padLeft) * pixel, to);
            else
                for (int64_t j = 0; j < std::min(s.width, width - s.padLeft); j++)
                    std::copy_n(row + j * s.channels, s.channels, to + j * pixel);
        }
        return frame.data();
    }

    // The products of 8 windows with B blocks of 16 filters.
    template <int B> void products(const T* const* windows, T* const* outputs, int64_t k) {
        Vector sums[Pixels][B] = {};
        const T* w = filters + k / Lanes * block;
        for (int64_t tap : taps) {
            const T* at[Pixels];
            for (int64_t r = 0; r < Pixels; r++)
                at[r] = windows[r] + tap;
            for (int64_t lane = 0; lane < lanes; lane++) {
                Vector filter[B];
#pragma GCC unroll 2
                for (int b = 0; b < B; b++)
                    std::memcpy(&filter[b], w + b * block, sizeof filter[b]);
                w += Lanes * together;
#pragma GCC unroll 8
                for (int64_t r = 0; r < Pixels; r++)
#pragma GCC unroll 2
                    for (int b = 0; b < B; b++)
                        sums[r][b] = multiply_add(sums[r][b], filter[b], at[r] + lane * together);
            }
        }
#pragma GCC unroll 2
        for (int b = 0; b < B; b++) {
            const Finish<T> finish(end, y, k + b * Lanes, std::min(Lanes, s.filters - k - b * Lanes));
#pragma GCC unroll 8
            for (int64_t r = 0; r < Pixels; r++)
                finish.write(outputs[r] + b * Lanes, sums[r][b]);
        }
    }
};

template <typename T> void convolve(const ConvShape& s, const T* x, const T* filters, const ConvEnd& end, T* y) {
    // Bands of some 16 pixels at least, and no more than 16 of them where there are many images.
    int64_t least = (15 + s.outWidth) / s.outWidth, most = std::max<int64_t>(1, 16 / s.images);
    int64_t bands = std::max<int64_t>(1, std::min(most, s.outHeight / least));
    parallel_workers(s.images * bands, [&](Tasks& tasks) {
        Band<T> band(s, x, filters, end, y);
        for (int64_t task; (task = tasks.next()) >= 0;) {
            int64_t part = task % bands;
            band.run(task / bands, s.outHeight * part / bands, s.outHeight * (part + 1) / bands);
        }
    });
}

int64_t packed_size(Element element, const ConvShape& shape) {
    return element == Element::Float32 ? size_of<float>(shape) : size_of<BFloat16>(shape);
}

void pack_filters(Element element, const ConvShape& shape, const float* weight, void* packed) {
    if (element == Element::Float32)
        pack(shape, weight, static_cast<float*>(packed));
    else
        pack(shape, weight, static_cast<BFloat16*>(packed));
}

void direct(Element element, const ConvShape& shape, const void* x, const void* filters, const ConvEnd& end, void* y) {
    if (element == Element::Float32)
        convolve(shape, static_cast<const float*>(x), static_cast<const float*>(filters), end, static_cast<float*>(y));
    else
        convolve(shape, static_cast<const BFloat16*>(x), static_cast<const BFloat16*>(filters), end,
                 static_cast<BFloat16*>(y));
}

} // namespace

void add_direct(Kernels& table) {
    table.packed_size = packed_size;
    table.pack_filters = pack_filters;
    table.direct = direct;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
