// The steps of optimizers, and the size of gradients: one pass over each value where libtorch makes one an operation.
#include "Level.h"
#include "Vectors.h"
#include <algorithm>
#include <cmath>

namespace cnnspec {
namespace CNNSPEC_LEVEL {
namespace {

void sgd(const Momentum& settings, const Piece& piece) {
    const Momentum s = settings; // copies, which no store can reach
    const float* __restrict gradient = piece.gradient;
    float* __restrict weight = piece.parameter, * __restrict momentum = piece.first;
    if (momentum == nullptr) {
        for (int64_t i = 0; i < piece.count; i++)
            weight[i] -= s.rate * (gradient[i] + s.decay * weight[i]);
        return;
    }
    for (int64_t i = 0; i < piece.count; i++) {
        float slope = gradient[i] + s.decay * weight[i];
        float pace = s.momentum * momentum[i] + s.undampened * slope;
        momentum[i] = pace;
        weight[i] -= s.rate * (s.nesterov ? slope + s.momentum * pace : pace);
    }
}

void adam(const Moments& settings, const Piece& piece) {
    const Moments s = settings;
    const float* __restrict gradient = piece.gradient;
    const float size = piece.size, root = piece.root;
    float* __restrict weight = piece.parameter, * __restrict mean = piece.first, * __restrict square = piece.second;
    for (int64_t i = 0; i < piece.count; i++) {
        float slope = gradient[i] + s.decay * weight[i];
        float first = s.beta1 * mean[i] + (1 - s.beta1) * slope;
        float second = s.beta2 * square[i] + (1 - s.beta2) * slope * slope;
        mean[i] = first;
        square[i] = second;
        weight[i] = s.shrink * weight[i] + size * first / (std::sqrt(second) / root + s.epsilon);
    }
}

float magnitude(const float* values, int64_t count) {
    Vector sums = {};
    for (int64_t i = 0; i < count; i += Lanes)
        sums += (Vector)((Integers)load(values + i, std::min(Lanes, count - i)) & 0x7fffffff);
    float sum = 0;
    for (int64_t lane = 0; lane < Lanes; lane++)
        sum += sums[lane];
    return sum;
}

} // namespace

void add_optimizers(Kernels& table) {
    table.sgd = sgd;
    table.adam = adam;
    table.magnitude = magnitude;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
