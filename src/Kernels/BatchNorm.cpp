// Batch normalisation, a sum and ReLU in as few passes over memory as there can be, and what rows of channels need
// besides.
#include "Guard.h"

#include <cmath>
#include <vector>

using namespace cnnspec;

namespace {

// The parts of `statistics`.
struct Statistics {
    float *mean, *variance, *scale, *shift;
    explicit Statistics(const cnnspec_batch_norm& n)
        : mean(n.statistics), variance(mean + n.channels), scale(variance + n.channels), shift(scale + n.channels) {}
};

// Factor and offset of each channel, from its mean and variance.
void fold(const cnnspec_batch_norm& n, const float* mean, const float* variance, float* scale, float* shift) {
    for (int64_t c = 0; c < n.channels; c++) {
        double factor = (n.weight ? n.weight[c] : 1.0) / std::sqrt(variance[c] + n.epsilon);
        scale[c] = static_cast<float>(factor);
        shift[c] = static_cast<float>((n.bias ? n.bias[c] : 0.0) - factor * mean[c]);
    }
}

void track(const cnnspec_batch_norm& n, const float* mean, const float* variance) {
    double correction = n.rows > 1 ? static_cast<double>(n.rows) / (n.rows - 1) : 1.0;
    for (int64_t c = 0; c < n.channels; c++) {
        n.running_mean[c] = static_cast<float>((1 - n.momentum) * n.running_mean[c] + n.momentum * mean[c]);
        n.running_var[c] =
            static_cast<float>((1 - n.momentum) * n.running_var[c] + n.momentum * correction * variance[c]);
    }
}

void write(int32_t element, RowShape shape, cnnspec_rows x, cnnspec_rows addend, cnnspec_rows y, const float* scale,
           const float* shift, bool relu) {
    kernels().normalise({element_of(element), shape, view_of(x), view_of(addend), view_of(y), scale, shift, relu});
}

} // namespace

int32_t cnnspec_batch_norm_forward(const cnnspec_batch_norm* norm, cnnspec_rows x, cnnspec_rows addend,
                                   cnnspec_rows y) {
    return guarded([&] {
        const cnnspec_batch_norm& n = *norm;
        Statistics s(n);
        RowShape shape{n.rows, n.channels};
        kernels().moments(element_of(n.element), shape, view_of(x), s.mean, s.variance);
        track(n, s.mean, s.variance);
        fold(n, s.mean, s.variance, s.scale, s.shift);
        write(n.element, shape, x, addend, y, s.scale, s.shift, n.relu);
        return CNNSPEC_OK;
    });
}

int32_t cnnspec_batch_norm_evaluate(const cnnspec_batch_norm* norm, cnnspec_rows x, cnnspec_rows addend,
                                    cnnspec_rows y) {
    return guarded([&] {
        const cnnspec_batch_norm& n = *norm;
        std::vector<float> scale(n.channels), shift(n.channels);
        fold(n, n.running_mean, n.running_var, scale.data(), shift.data());
        write(n.element, {n.rows, n.channels}, x, addend, y, scale.data(), shift.data(), n.relu);
        return CNNSPEC_OK;
    });
}

int32_t cnnspec_batch_norm_backward(const cnnspec_batch_norm* norm, cnnspec_rows dy, cnnspec_rows x, cnnspec_rows y,
                                    cnnspec_rows masked, cnnspec_rows passed, cnnspec_rows dx, float* dweight,
                                    float* dbias) {
    return guarded([&] {
        const cnnspec_batch_norm& f = *norm;
        Statistics s(f);
        NormBackward n{};
        n.element = element_of(f.element);
        n.shape = {f.rows, f.channels};
        n.dy = view_of(dy);
        n.x = view_of(x);
        n.y = view_of(y);
        n.masked = view_of(masked);
        n.passed = view_of(passed);
        n.dx = view_of(dx);
        n.mean = s.mean;
        n.scale = s.scale;
        n.shift = s.shift;
        n.relu = f.relu;
        std::vector<float> total(f.channels), product(f.channels);
        kernels().normalise_sums(n, total.data(), product.data());
        std::vector<float> slope(f.channels), tilt(f.channels), offset(f.channels);
        for (int64_t c = 0; c < f.channels; c++) {
            double inverse = 1 / std::sqrt(s.variance[c] + f.epsilon);
            double factor = inverse * (f.weight ? f.weight[c] : 1.0);
            slope[c] = static_cast<float>(factor);
            tilt[c] = static_cast<float>(-factor * inverse * inverse * product[c] / f.rows);
            offset[c] = static_cast<float>(-factor * total[c] / f.rows);
            if (dweight) {
                dweight[c] = static_cast<float>(product[c] * inverse);
                dbias[c] = total[c];
            }
        }
        kernels().normalise_input(n, slope.data(), tilt.data(), offset.data());
        return CNNSPEC_OK;
    });
}

int32_t cnnspec_copy_rows(int32_t element, int64_t rows, int64_t channels, cnnspec_rows from, cnnspec_rows to) {
    return guarded([&] {
        // Normalisation by 1 and −0, to which every value is itself.
        std::vector<float> ones(channels, 1.0f), zeros(channels, -0.0f);
        write(element, {rows, channels}, from, {nullptr, 0}, to, ones.data(), zeros.data(), /*relu=*/false);
        return CNNSPEC_OK;
    });
}

int32_t cnnspec_add_relu(int32_t element, int64_t rows, int64_t channels, cnnspec_rows y, cnnspec_rows addend,
                         int32_t relu) {
    return guarded([&] {
        std::vector<float> ones(channels, 1.0f), zeros(channels);
        write(element, {rows, channels}, y, addend, y, ones.data(), zeros.data(), relu);
        return CNNSPEC_OK;
    });
}

int32_t cnnspec_channel_sums(int32_t element, int64_t rows, int64_t channels, cnnspec_rows x, float* sums) {
    return guarded([&] {
        std::vector<float> products(channels), zeros(channels);
        NormBackward n{};
        n.element = element_of(element);
        n.shape = {rows, channels};
        n.dy = n.x = view_of(x);
        n.mean = n.scale = n.shift = zeros.data();
        kernels().normalise_sums(n, sums, products.data());
        return CNNSPEC_OK;
    });
}
