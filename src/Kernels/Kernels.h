// The loops behind cnnspec_kernels.h. Each is compiled for several levels of vector instructions in one library;
// `kernels()` is the level in use.
//
// A tensor is rows of channels: [N,C,H,W] with its channels next to each other has N·H·W rows. Work is cut by its size
// alone, and what the parts give is added in order, so results depend neither on the number of threads nor on their
// luck.
#pragma once

#include <atomic>
#include <cstdint>

namespace cnnspec {

enum class Element { Float32, BFloat16 };

// The tasks 0 … count-1 of one piece of work; each thread that works on it takes the next as soon as it is free.
class Tasks {
public:
    explicit Tasks(int64_t count) : count_(count) {}
    // The next task that nobody has taken, or -1.
    int64_t next() {
        int64_t task = taken_.fetch_add(1, std::memory_order_relaxed);
        return task < count_ ? task : -1;
    }

private:
    const int64_t count_;
    std::atomic<int64_t> taken_{0};
};

// Runs body(context, tasks) on as many of OpenMP's threads as there are tasks for.
void run_tasks(int64_t count, void* context, void (*body)(void* context, Tasks& tasks));

// body(tasks) on each thread, which takes tasks while there are any.
template <typename Body> void parallel_workers(int64_t count, Body&& body) {
    run_tasks(count, &body, [](void* context, Tasks& tasks) { (*static_cast<Body*>(context))(tasks); });
}

// body(task) for each task, several of many small ones at a time: threads that take one after the other wait for each
// other's cache lines.
template <typename Body> void parallel_tasks(int64_t count, Body&& body) {
    const int64_t turns = count < 256 ? count : 128;
    parallel_workers(turns, [&](Tasks& tasks) {
        for (int64_t turn; (turn = tasks.next()) >= 0;)
            for (int64_t task = count * turn / turns; task < count * (turn + 1) / turns; task++)
                body(task);
    });
}

// Rows of channels in memory; consecutive rows begin `stride` elements apart.
struct RowShape {
    int64_t rows;
    int64_t channels;
};

struct RowView {
    void* data;
    int64_t stride;
};

// One batch normalisation, y = act(x · scale + shift + addend), by channel.
struct NormForward {
    Element element;
    RowShape shape;
    RowView x, addend, y; // addend.data may be null
    const float* scale;
    const float* shift;
    bool relu;
};

struct NormBackward {
    Element element;
    RowShape shape;
    RowView dy, x;
    RowView y; // what the forward pass gave; null where x tells the sign
    RowView
        masked; // dy where the activation let it through; written by `sums`, read by `input`; null: worked out twice
    RowView passed; // a gradient of x from elsewhere, to be added; may be null
    RowView dx;
    const float* mean;
    const float* scale; // as in the forward pass: x · scale + shift > 0 is the mask where y is null
    const float* shift;
    bool relu;
};

struct PoolShape {
    int64_t images, channels, height, width, outHeight, outWidth;
    int64_t kernelHeight, kernelWidth, strideHeight, strideWidth, padTop, padLeft;
};

// The position of a maximum that passes no gradient on; windows have fewer inputs.
constexpr uint8_t Nowhere = 255;

// A convolution of one group over [N,H,W,C], dense, to [N,H',W',K].
struct ConvShape {
    int64_t images, channels, height, width, filters, outHeight, outWidth;
    int64_t kernelHeight, kernelWidth, strideHeight, strideWidth, padTop, padLeft, dilationHeight, dilationWidth;
};

// What becomes of each output of a convolution before it is written: act(output + bias + addend).
struct ConvEnd {
    const float* bias;  // [K]; may be null
    const void* addend; // as the output; may be null
    bool relu;
};

// Square filters in memory, the taps of each neighbours; rotated, the last tap is the first.
struct FilterShape {
    int64_t filters, channels, taps, filterStride, channelStride;
    bool rotated;
};

// Winograd's method takes six points in each direction, for so many outputs of filters of so many taps.
constexpr int Points = 6;
constexpr int64_t tile_side(int64_t taps) {
    return Points + 1 - taps;
}

// Channels or filters in whole vectors of it, the last filled up with zeros.
constexpr int64_t padded(int64_t channels) {
    return (channels + 15) / 16 * 16;
}

// A part of a step of an optimizer: neighbouring values of a parameter, with their gradients and what the optimizer
// remembers of them.
struct Piece {
    float* parameter;
    const float* gradient;
    float *first, *second; // momentum, or mean and square of the gradient; may be null
    int64_t count;
    float size, root; // Adam's
};

struct Momentum {
    float rate, momentum, undampened, decay;
    bool nesterov;
};

struct Moments {
    float beta1, beta2, epsilon, decay, shrink;
};

struct Kernels {
    const char* name;
    // Mean and variance (over all rows, not corrected) of each channel.
    void (*moments)(Element, RowShape, RowView x, float* mean, float* variance);
    void (*normalise)(const NormForward&);
    // Σ g and Σ g·(x − mean) of each channel, g being dy where the activation let it through.
    void (*normalise_sums)(const NormBackward&, float* sum, float* product);
    // dx = slope·g + tilt·(x − mean) + offset + passed.
    void (*normalise_input)(const NormBackward&, const float* slope, const float* tilt, const float* offset);
    // Maxima of windows of [N,H,W,C], then ReLU where asked, and the position (row by row) of each in its window:
    // Nowhere where ReLU cut it off.
    void (*max_pool)(Element, const PoolShape&, bool relu, const void* x, void* y, uint8_t* position);
    // `passed`, a gradient of x from elsewhere, is added if there is one.
    void (*max_pool_input)(Element, const PoolShape&, const void* dy, const uint8_t* position, const void* passed,
                           void* dx);

    // weight −= rate · momentum', which is momentum · momentum + undampened · (gradient + decay · weight).
    void (*sgd)(const Momentum&, const Piece&);
    // weight = shrink · weight + size · mean' / (√square' / root + epsilon).
    void (*adam)(const Moments&, const Piece&);
    // Σ |value|.
    float (*magnitude)(const float* values, int64_t count);

    // Convolutions; null where the level has none. 3×3 and 5×5 of stride 1: 36 elements of points for each channel and
    // filter, both rounded up to multiples of 16, then the convolution with them.
    void (*winograd_filters)(Element, const FilterShape&, const float* weight, void* points);
    void (*winograd)(Element, const ConvShape&, const void* x, const void* points, const ConvEnd&, void* y);
    // Any windows, and any numbers of channels and filters: packed_size elements of filters, then the convolution.
    int64_t (*packed_size)(Element, const ConvShape&);
    void (*pack_filters)(Element, const ConvShape&, const float* weight, void* packed);
    void (*direct)(Element, const ConvShape&, const void* x, const void* packed, const ConvEnd&, void* y);
    // Any windows over images of one channel, with filters [K][h][w] as they are, and the gradient of those.
    void (*image)(Element, const ConvShape&, const void* x, const float* weight, const ConvEnd&, void* y);
    void (*image_gradient)(Element, const ConvShape&, const void* x, const void* dy, float* dweight);
    // Gradients of filters, [K][C][h][w]: of 3×3 and 5×5 ones of stride 1, and of any, of bfloat16 maps.
    void (*winograd_gradient)(Element, const ConvShape&, const void* x, const void* dy, float* dweight);
    void (*filter_gradient)(const ConvShape&, const void* x, const void* dy, float* dweight);
};

const Kernels& kernels();

// Whether the processor has the level, and then uses it.
bool use_level(const char* name);
// Whether this processor has one of the levels that were compiled.
bool has_level();

bool has_matrix_units();

} // namespace cnnspec
