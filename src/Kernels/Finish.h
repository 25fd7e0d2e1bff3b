// The end of a convolution, while its outputs are in registers: bias, addend and ReLU.
#pragma once

#include "Level.h"
#include "Vectors.h"

namespace cnnspec {
namespace CNNSPEC_LEVEL {

// For `count` filters, at most a vector of them, beginning with `filter`; y is the whole map.
template <typename T> class Finish {
    const Vector bias;
    const T *const y, *const addend;
    const bool relu;
    const int64_t count;

public:
    Finish(const ConvEnd& end, const T* y, int64_t filter, int64_t count)
        : bias(end.bias ? load(end.bias + filter, count) : Vector{}), y(y), addend(static_cast<const T*>(end.addend)),
          relu(end.relu), count(count) {}

    // To a place in y.
    void write(T* to, Vector value) const {
        value += bias;
        if (addend)
            value += load(addend + (to - y), count);
        store(to, relu ? positive_part(value) : value, count);
    }
};

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
