// What the evaluation of a network with folded weights needs: the end of a convolution in one pass, and whether the
// weights that were folded are still the network's.
#include "Convolution.h"

#include <ATen/core/List.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

namespace cnnspec {
namespace {

using at::Tensor;

// A number that grows with every change in place of one of the tensors.
int64_t versions(at::TensorList tensors) {
    int64_t sum = 0;
    for (const Tensor& tensor : tensors)
        sum += static_cast<int64_t>(tensor._version());
    return sum;
}

} // namespace

// y = act(y + addend), in place. Any tensors; one pass over channels-last maps on the CPU.
Tensor finish_(Tensor y, const c10::optional<Tensor>& addend, bool relu) {
    bool fits = y.dim() == 4 && has_kernels(y) && row_stride(y) &&
                (!addend || (addend->scalar_type() == y.scalar_type() && addend->sizes() == y.sizes()));
    if (!fits) {
        if (addend)
            y.add_(*addend);
        return relu ? y.relu_() : y;
    }
    Tensor scale = at::ones({y.size(1)}, at::kFloat), shift = at::zeros({y.size(1)}, at::kFloat), rows;
    NormForward n{};
    n.element = element_of(y);
    n.shape = row_shape(y);
    n.x = n.y = view_of(y);
    if (addend) {
        rows = as_rows(*addend);
        n.addend = view_of(rows);
    }
    n.scale = scale.data_ptr<float>();
    n.shift = shift.data_ptr<float>();
    n.relu = relu;
    kernels().normalise(n);
    return y;
}

TORCH_LIBRARY_FRAGMENT(cnnspec, m) {
    m.def("add_relu_(Tensor(a!) self, Tensor? addend, bool relu) -> Tensor(a!)", finish_);
    m.def("versions(Tensor[] tensors) -> int", versions);
}

} // namespace cnnspec
