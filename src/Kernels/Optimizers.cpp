// The steps of optimizers over all parameters at once. Parameters are many and small, so operations one parameter after
// the other take far longer to call than to run.
#include "Guard.h"

#include <algorithm>
#include <vector>

using namespace cnnspec;

namespace {

// Pieces of all parameters, small enough that threads share them evenly.
std::vector<Piece> pieces_of(const cnnspec_parameter* parameters, int64_t count) {
    constexpr int64_t Most = 8192;
    std::vector<Piece> pieces;
    for (const cnnspec_parameter* p = parameters; p < parameters + count; p++)
        for (int64_t begin = 0; begin < p->count; begin += Most) {
            auto at = [&](auto* data) { return data ? data + begin : nullptr; };
            pieces.push_back({at(p->value), at(p->gradient), at(p->first), at(p->second),
                              std::min(Most, p->count - begin), p->size, p->root});
        }
    return pieces;
}

template <typename Body> void each(const std::vector<Piece>& pieces, Body&& body) {
    parallel_tasks(static_cast<int64_t>(pieces.size()), body);
}

} // namespace

int32_t cnnspec_sgd(const cnnspec_parameter* parameters, int64_t count, float rate, float momentum, float undampened,
                    float decay, int32_t nesterov) {
    return guarded([&] {
        const auto pieces = pieces_of(parameters, count);
        const Momentum settings{rate, momentum, undampened, decay, nesterov != 0};
        each(pieces, [&](int64_t task) { kernels().sgd(settings, pieces[task]); });
        return CNNSPEC_OK;
    });
}

int32_t cnnspec_adam(const cnnspec_parameter* parameters, int64_t count, float beta1, float beta2, float epsilon,
                     float decay, float shrink) {
    return guarded([&] {
        const auto pieces = pieces_of(parameters, count);
        const Moments settings{beta1, beta2, epsilon, decay, shrink};
        each(pieces, [&](int64_t task) { kernels().adam(settings, pieces[task]); });
        return CNNSPEC_OK;
    });
}

int32_t cnnspec_magnitude(const cnnspec_parameter* parameters, int64_t count, double* sum) {
    return guarded([&] {
        const auto pieces = pieces_of(parameters, count);
        std::vector<float> sums(pieces.size());
        each(pieces,
             [&](int64_t task) { sums[task] = kernels().magnitude(pieces[task].gradient, pieces[task].count); });
        *sum = 0;
        for (float part : sums)
            *sum += part;
        return CNNSPEC_OK;
    });
}
