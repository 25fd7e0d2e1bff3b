// Max pooling.
#include "Guard.h"

using namespace cnnspec;

namespace {

PoolShape shape_of(const cnnspec_pool& p) {
    return {p.images,        p.channels,     p.height,        p.width,        p.out_height, p.out_width,
            p.kernel_height, p.kernel_width, p.stride_height, p.stride_width, p.pad_top,    p.pad_left};
}

} // namespace

int32_t cnnspec_max_pool(int32_t element, const cnnspec_pool* shape, int32_t relu, const void* x, void* y,
                         uint8_t* position) {
    return guarded([&] {
        if (shape->kernel_height * shape->kernel_width > Nowhere)
            return CNNSPEC_UNSUPPORTED;
        kernels().max_pool(element_of(element), shape_of(*shape), relu != 0, x, y, position);
        return CNNSPEC_OK;
    });
}

int32_t cnnspec_max_pool_backward(int32_t element, const cnnspec_pool* shape, const void* dy, const uint8_t* position,
                                  const void* passed, void* dx) {
    return guarded([&] {
        kernels().max_pool_input(element_of(element), shape_of(*shape), dy, position, passed, dx);
        return CNNSPEC_OK;
    });
}
