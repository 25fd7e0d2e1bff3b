// The steps of optimizers over all parameters at once. Parameters are many and small, so libtorch's operators, one
// after the other and one parameter after the other, take far longer to call than to run.
#include "../Kernels/Kernels.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/stack.h>
#include <algorithm>
#include <torch/library.h>
#include <vector>

namespace cnnspec {
namespace {

using at::Tensor;
using at::TensorList;

bool are_floats(TensorList tensors) {
    return std::all_of(tensors.begin(), tensors.end(), [](const Tensor& tensor) {
        return tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_contiguous();
    });
}

// Pieces of all parameters, small enough that threads share them evenly: each with what the other lists have at its
// place where they are not empty.
std::vector<Piece> pieces_of(TensorList parameters, TensorList gradients = {}, TensorList first = {},
                             TensorList second = {}, at::ArrayRef<double> sizes = {}, at::ArrayRef<double> roots = {}) {
    constexpr int64_t Most = 8192;
    std::vector<Piece> pieces;
    for (size_t i = 0; i < parameters.size(); i++)
        for (int64_t begin = 0, values = parameters[i].numel(); begin < values; begin += Most) {
            auto at = [&](TensorList all) { return all.empty() ? nullptr : all[i].data_ptr<float>() + begin; };
            auto of = [&](at::ArrayRef<double> all) { return all.empty() ? 0.0f : static_cast<float>(all[i]); };
            pieces.push_back({at(parameters), at(gradients), at(first), at(second), std::min(Most, values - begin),
                              of(sizes), of(roots)});
        }
    return pieces;
}

void changed(TensorList tensors) {
    for (const Tensor& tensor : tensors)
        tensor.unsafeGetTensorImpl()->bump_version();
}

// One step of stochastic gradient descent; `momenta` is empty where it has no momentum. False, and nothing is changed,
// where not all are dense float32 on the CPU.
bool sgd_(TensorList parameters, TensorList gradients, TensorList momenta, double rate, double momentum,
          double dampening, double decay, bool nesterov) {
    if (!are_floats(parameters) || !are_floats(gradients) || !are_floats(momenta))
        return false;
    auto pieces = pieces_of(parameters, gradients, momenta);
    Momentum settings{static_cast<float>(rate), static_cast<float>(momentum), static_cast<float>(1 - dampening),
                      static_cast<float>(decay), nesterov};
    parallel_tasks(static_cast<int64_t>(pieces.size()), [&](int64_t task) { kernels().sgd(settings, pieces[task]); });
    changed(parameters);
    changed(momenta);
    return true;
}

// One step of Adam. Parameter i moves by sizes[i] · mean / (√square / roots[i] + epsilon), after it has shrunk by the
// factor `shrink`; `decay` times the parameter is added to the gradient. False as above.
bool adam_(TensorList parameters, TensorList gradients, TensorList means, TensorList squares,
           at::ArrayRef<double> sizes, at::ArrayRef<double> roots, double beta1, double beta2, double epsilon,
           double decay, double shrink) {
    if (!are_floats(parameters) || !are_floats(gradients) || !are_floats(means) || !are_floats(squares))
        return false;
    auto pieces = pieces_of(parameters, gradients, means, squares, sizes, roots);
    Moments settings{static_cast<float>(beta1), static_cast<float>(beta2), static_cast<float>(epsilon),
                     static_cast<float>(decay), static_cast<float>(shrink)};
    parallel_tasks(static_cast<int64_t>(pieces.size()), [&](int64_t task) { kernels().adam(settings, pieces[task]); });
    changed(parameters);
    changed(means);
    changed(squares);
    return true;
}

// The sum of all absolute values, on the tensors' device; of none, 0 on the CPU.
Tensor magnitude(TensorList tensors) {
    if (!are_floats(tensors))
        return at::stack(at::_foreach_norm(tensors, 1)).sum();
    auto pieces = pieces_of(tensors);
    std::vector<float> sums(pieces.size());
    parallel_tasks(static_cast<int64_t>(pieces.size()),
                   [&](int64_t task) { sums[task] = kernels().magnitude(pieces[task].parameter, pieces[task].count); });
    double sum = 0;
    for (float part : sums)
        sum += part;
    return at::scalar_tensor(sum, at::kFloat);
}

} // namespace

TORCH_LIBRARY_FRAGMENT(cnnspec, m) {
    m.def("sgd_(Tensor(a!)[] parameters, Tensor[] gradients, Tensor(b!)[] momenta, float rate, float momentum, float "
          "dampening, float decay, bool nesterov) -> bool",
          sgd_);
    m.def("adam_(Tensor(a!)[] parameters, Tensor[] gradients, Tensor(b!)[] means, Tensor(c!)[] squares, float[] sizes, "
          "float[] roots, float beta1, float beta2, float epsilon, float decay, float shrink) -> bool",
          adam_);
    m.def("magnitude(Tensor[] tensors) -> Tensor", magnitude);
}

} // namespace cnnspec
