// Each kernel file is compiled once a level, CNNSPEC_LEVEL being its namespace, and enters its loops into the level's
// table.
#pragma once

#include "Kernels.h"

#ifndef CNNSPEC_LEVEL
#error "build.sh defines CNNSPEC_LEVEL for each level"
#endif

namespace cnnspec {
namespace CNNSPEC_LEVEL {

void add_normalisation(Kernels& table);
void add_normalisation_gradient(Kernels& table);
void add_pooling(Kernels& table);
void add_pooling_gradient(Kernels& table);
void add_optimizers(Kernels& table);
#if defined(__AVX512BF16__)
void add_direct(Kernels& table);
void add_images(Kernels& table);
void add_winograd(Kernels& table);
void add_winograd_gradient(Kernels& table);
void add_filter_gradient(Kernels& table);
#endif

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
