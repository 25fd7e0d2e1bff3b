// The gradient of a convolution's filters in bfloat16, for maps of few channels: for each tap the product of input
// pixels and output gradients, summed over the batch. Two pixels of a row are one lane, so each line of pixels is
// written beside itself once for every way in which the taps pair it.
#include "Parts.h"
#include <algorithm>

namespace cnnspec {
namespace CNNSPEC_LEVEL {
namespace {

constexpr int64_t Two = Together<BFloat16>; // pixels of a lane

// The channels `there` of one pixel and of the next in turn, and zeros for the others; null is a pixel of zeros.
inline void interleave(BFloat16* to, const BFloat16* first, const BFloat16* second, __mmask16 there) {
    __m256i low = first ? _mm256_maskz_loadu_epi16(there, first) : _mm256_setzero_si256();
    __m256i high = second ? _mm256_maskz_loadu_epi16(there, second) : _mm256_setzero_si256();
    _mm512_storeu_si512(to, interleaved(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1)));
}

// A line of pixels as pairs, `step` pixels apart, the first pair beginning at pixel `start`.
void pair_line(BFloat16* to, const BFloat16* line, int64_t width, int64_t channels, int64_t start, int64_t step,
               int64_t pairs) {
    auto pixel = [&](int64_t at) { return line && at >= 0 && at < width ? line + at * channels : nullptr; };
    for (int64_t q = 0; q < pairs; q++) {
        const BFloat16 *first = pixel(start + 2 * q * step), *second = pixel(start + (2 * q + 1) * step);
        for (int64_t c = 0; c < channels; c += Lanes, to += Lanes * Two)
            interleave(to, first ? first + c : nullptr, second ? second + c : nullptr, first_lanes(channels - c));
    }
}

// Columns of the window whose pixels pair up alike read the same pairs, some later than others.
struct Column {
    int64_t phase, later;
};

struct Columns {
    std::vector<Column> of;
    std::vector<int64_t> start; // the first pixel of each phase
    int64_t pairs, length;      // of an output row; of a phase

    explicit Columns(const ConvShape& s) : pairs((s.outWidth + 1) / 2), length(pairs) {
        for (int64_t w = 0; w < s.kernelWidth; w++) {
            int64_t first = w * s.dilationWidth - s.padLeft, phase = 0;
            while (phase < static_cast<int64_t>(start.size()) && (first - start[phase]) % (2 * s.strideWidth) != 0)
                phase++;
            if (phase == static_cast<int64_t>(start.size()))
                start.push_back(first);
            int64_t later = (first - start[phase]) / (2 * s.strideWidth);
            length = std::max(length, pairs + later);
            of.push_back({phase, later});
        }
    }
};

// Some output rows of an image, or several whole images, so that a block has enough pairs to keep sums in registers.
struct Blocks {
    int64_t rows, images, each, count;
    Blocks(const ConvShape& s, int64_t pairs) {
        const int64_t enough = 64;
        rows = std::max<int64_t>(1, std::min(s.outHeight, enough / pairs));
        images = rows < s.outHeight ? 1 : std::max<int64_t>(1, std::min(s.images, enough / (pairs * rows)));
        each = (s.outHeight + rows - 1) / rows; // blocks of one image, or of several
        count = (s.images + images - 1) / images * each;
    }
};

class Work {
    const ConvShape& s;
    const Columns& columns;
    const Blocks& blocks;
    const BFloat16 *x, *dy;
    const int64_t channels, filters; // in whole vectors
    const int64_t lines, line;       // input lines of a block and image; elements of one phase of a line
    const Scratch<BFloat16> inputs, gradients;

public:
    Work(const ConvShape& s, const Columns& columns, const Blocks& blocks, const BFloat16* x, const BFloat16* dy)
        : s(s), columns(columns), blocks(blocks), x(x), dy(dy), channels(padded(s.channels)),
          filters(padded(s.filters)),
          lines((blocks.rows - 1) * s.strideHeight + (s.kernelHeight - 1) * s.dilationHeight + 1),
          line(columns.length * channels * Two),
          inputs(blocks.images * lines * static_cast<int64_t>(columns.start.size()) * line),
          gradients(blocks.images * blocks.rows * columns.pairs * filters * Two) {}

    void run(int64_t block, float* sums) {
        int64_t image = block / blocks.each * blocks.images, images = std::min(blocks.images, s.images - image);
        int64_t row = block % blocks.each * blocks.rows, rows = std::min(blocks.rows, s.outHeight - row);
        for (int64_t i = 0; i < images; i++)
            read(image + i, i, row, rows);
        for (int64_t h = 0; h < s.kernelHeight; h++)
            for (int64_t w = 0; w < s.kernelWidth; w++)
                for (int64_t c = 0; c < s.channels; c += Lanes)
                    for (int64_t k = 0; k < s.filters; k += Lanes)
                        add_tap(sums + ((h * s.kernelWidth + w) * channels + c) * filters + k, h, w, c, k, images,
                                rows);
    }

private:
    BFloat16* input(int64_t image, int64_t at, int64_t phase) const {
        return inputs.get() + ((image * lines + at) * static_cast<int64_t>(columns.start.size()) + phase) * line;
    }

    BFloat16* gradient(int64_t image, int64_t row) const {
        return gradients.get() + (image * blocks.rows + row) * columns.pairs * filters * Two;
    }

    void read(int64_t image, int64_t slot, int64_t row, int64_t rows) {
        int64_t top = row * s.strideHeight - s.padTop;
        int64_t needed = (rows - 1) * s.strideHeight + (s.kernelHeight - 1) * s.dilationHeight + 1;
        for (int64_t i = 0; i < needed; i++) {
            bool inside = top + i >= 0 && top + i < s.height;
            const BFloat16* from = inside ? x + (image * s.height + top + i) * s.width * s.channels : nullptr;
            for (size_t phase = 0; phase < columns.start.size(); phase++)
                pair_line(input(slot, i, phase), from, s.width, s.channels, columns.start[phase], s.strideWidth,
                          columns.length);
        }
        for (int64_t i = 0; i < rows; i++)
            pair_line(gradient(slot, i), dy + (image * s.outHeight + row + i) * s.outWidth * s.filters, s.outWidth,
                      s.filters, 0, 1, columns.pairs);
    }

    // sums[16 channels][filters] += Σ x · dy of one tap, for 16 filters.
    void add_tap(float* sums, int64_t h, int64_t w, int64_t c, int64_t k, int64_t images, int64_t rows) const {
        Vector acc[Lanes];
#pragma GCC unroll 16
        for (int i = 0; i < Lanes; i++)
            acc[i] = load(sums + i * filters);
        Column column = columns.of[w];
        const int64_t vStep = channels * Two, dStep = filters * Two;
        for (int64_t image = 0; image < images; image++)
            for (int64_t row = 0; row < rows; row++) {
                const BFloat16* v = input(image, row * s.strideHeight + h * s.dilationHeight, column.phase) +
                                    column.later * vStep + c * Two;
                const BFloat16* d = gradient(image, row) + k * Two;
                for (int64_t q = 0; q < columns.pairs; q++) {
                    Vector g;
                    std::memcpy(&g, d, sizeof g);
#pragma GCC unroll 16
                    for (int i = 0; i < Lanes; i++)
                        acc[i] = multiply_add(acc[i], g, v + i * Two);
                    v += vStep;
                    d += dStep;
                }
            }
#pragma GCC unroll 16
        for (int i = 0; i < Lanes; i++)
            store(sums + i * filters, acc[i]);
    }
};

void filter_gradient(const ConvShape& s, const void* x, const void* dy, float* dweight) {
    Columns columns(s);
    Blocks blocks(s, columns.pairs);
    int64_t taps = s.kernelHeight * s.kernelWidth, channels = padded(s.channels), filters = padded(s.filters);
    Parts parts(taps * channels * filters, blocks.count);
    parallel_workers(parts.count, [&](Tasks& tasks) {
        Work work(s, columns, blocks, static_cast<const BFloat16*>(x), static_cast<const BFloat16*>(dy));
        for (int64_t part; (part = tasks.next()) >= 0;) {
            float* sums = parts.zeroed(part);
            for (int64_t block = blocks.count * part / parts.count; block < blocks.count * (part + 1) / parts.count;
                 block++)
                work.run(block, sums);
        }
    });
    parallel_tasks(s.channels, [&](int64_t c) {
        for (int64_t tap = 0; tap < taps; tap++)
            for (int64_t k = 0; k < s.filters; k += Lanes)
                Parts::scatter(dweight + (k * s.channels + c) * taps + tap, s.channels * taps,
                               parts.sum((tap * channels + c) * filters + k), std::min(Lanes, s.filters - k));
    });
}

} // namespace

void add_filter_gradient(Kernels& table) {
    table.filter_gradient = filter_gradient;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
