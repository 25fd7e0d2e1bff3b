// What the library is.
#include "Guard.h"

int32_t cnnspec_kernels_abi(void) {
    return CNNSPEC_KERNELS_ABI;
}

const char* cnnspec_kernels_level(void) {
    return cnnspec::has_level() ? cnnspec::kernels().name : "";
}

int32_t cnnspec_kernels_use(const char* level) {
    return cnnspec::use_level(level) ? CNNSPEC_OK : CNNSPEC_UNSUPPORTED;
}

int32_t cnnspec_has_matrix_units(void) {
    return cnnspec::has_matrix_units();
}
