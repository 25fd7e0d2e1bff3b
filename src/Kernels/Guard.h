// What every exported function is wrapped in, and the conversions from the C ABI's types.
#pragma once

#include "Kernels.h"
#include "cnnspec_kernels.h"

#include <new>

namespace cnnspec {

// Runs `body`; whatever it throws is that memory ran out.
template <typename Body> int32_t guarded(Body&& body) noexcept {
    try {
        return body();
    } catch (...) {
        return CNNSPEC_NO_MEMORY;
    }
}

inline Element element_of(int32_t element) {
    return element == CNNSPEC_FLOAT32 ? Element::Float32 : Element::BFloat16;
}

inline RowView view_of(cnnspec_rows rows) {
    return {rows.data, rows.stride};
}

} // namespace cnnspec
