// The table of one level.
#include "Level.h"

#define CNNSPEC_TEXT(name) #name
#define CNNSPEC_NAME(name) CNNSPEC_TEXT(name)

namespace cnnspec {
namespace CNNSPEC_LEVEL {

const Kernels& table() {
    static const Kernels all = [] {
        Kernels made{};
        made.name = CNNSPEC_NAME(CNNSPEC_LEVEL);
        add_normalisation(made);
        add_normalisation_gradient(made);
        add_pooling(made);
        add_pooling_gradient(made);
        add_optimizers(made);
#if defined(__AVX512BF16__)
        add_direct(made);
        add_images(made);
        add_winograd(made);
        add_winograd_gradient(made);
        add_filter_gradient(made);
#endif
        return made;
    }();
    return all;
}

} // namespace CNNSPEC_LEVEL
} // namespace cnnspec
