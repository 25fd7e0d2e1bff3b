// cnnspec::max_pool: max pooling of channels-last maps, then ReLU where asked, which is ReLU first. libtorch keeps
// eight bytes for the place of each maximum; here it is one, the place within the window.
#include "ChannelRows.h"

#include <ATen/native/Pool.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>
#include <tuple>

namespace cnnspec {
namespace {

using at::IntArrayRef;
using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

PoolShape pool_shape(const Tensor& x, IntArrayRef kernel, IntArrayRef stride, IntArrayRef padding, bool ceil) {
    auto size = [&](int64_t dim) {
        return at::native::pooling_output_shape<int64_t>(x.size(dim + 2), kernel[dim], padding[dim], stride[dim],
                                                         /*dilation=*/1, ceil);
    };
    return {x.size(0), x.size(1), x.size(2), x.size(3), size(0),    size(1),
            kernel[0], kernel[1], stride[0], stride[1], padding[0], padding[1]};
}

Tensor channels_last(const Tensor& like, int64_t height, int64_t width, at::ScalarType type) {
    return at::empty({like.size(0), like.size(1), height, width},
                     like.options().dtype(type).memory_format(at::MemoryFormat::ChannelsLast));
}

class MaxPool : public torch::autograd::Function<MaxPool> {
public:
    // Gives y and, where it forks, the input.
    static variable_list forward(AutogradContext* context, const Tensor& input, const PoolShape& shape, bool relu,
                                 bool forks) {
        Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
        Tensor y = channels_last(x, shape.outHeight, shape.outWidth, x.scalar_type());
        Tensor position = channels_last(x, shape.outHeight, shape.outWidth, at::kByte);
        kernels().max_pool(element_of(x), shape, relu, x.data_ptr(), y.data_ptr(), position.data_ptr<uint8_t>());
        context->save_for_backward({position});
        context->saved_data["shape"] =
            std::vector<int64_t>{shape.images,       shape.channels,    shape.height,       shape.width,
                                 shape.outHeight,    shape.outWidth,    shape.kernelHeight, shape.kernelWidth,
                                 shape.strideHeight, shape.strideWidth, shape.padTop,       shape.padLeft};
        return forks ? variable_list{y, neighbours(x, 0, x.size(1))} : variable_list{y};
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        Tensor position = context->get_saved_variables()[0];
        auto s = context->saved_data["shape"].toIntVector();
        PoolShape shape{s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10], s[11]};
        Tensor dy = gradients[0].contiguous(at::MemoryFormat::ChannelsLast);
        Tensor dx = channels_last(dy, shape.height, shape.width, dy.scalar_type()), passed;
        if (gradients.size() > 1)
            passed = gradients[1].to(dy.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
        kernels().max_pool_input(element_of(dy), shape, dy.data_ptr(), position.data_ptr<uint8_t>(),
                                 passed.defined() ? passed.data_ptr() : nullptr, dx.data_ptr());
        return {dx, Tensor(), Tensor(), Tensor()};
    }
};

// y and, where it `forks`, x, whose later readers read it from here: their gradient is added while that of the maxima
// is written. [N,C,H,W] → [N,C,H',W'], float32 or bfloat16. Anything else goes to libtorch's own.
variable_list pooled(const Tensor& x, IntArrayRef kernel, IntArrayRef stride, IntArrayRef padding, bool ceil, bool relu,
                     bool forks) {
    bool fits = x.dim() == 4 && has_kernels(x) && kernel[0] * kernel[1] <= Nowhere && 2 * padding[0] <= kernel[0] &&
                2 * padding[1] <= kernel[1];
    if (!fits) {
        Tensor y = at::max_pool2d(x, kernel, stride, padding, /*dilation=*/1, ceil);
        return {relu ? at::relu(y) : y, x};
    }
    PoolShape shape = pool_shape(x, kernel, stride, padding, ceil);
    TORCH_CHECK(shape.outHeight > 0 && shape.outWidth > 0, "the windows of ", kernel, " do not fit on ", x.sizes());
    if (c10::GradMode::is_enabled() && x.requires_grad())
        return MaxPool::apply(x, shape, relu, forks);
    Tensor rows = x.contiguous(at::MemoryFormat::ChannelsLast);
    Tensor y = channels_last(rows, shape.outHeight, shape.outWidth, x.scalar_type());
    kernels().max_pool(element_of(rows), shape, relu, rows.data_ptr(), y.data_ptr(), nullptr);
    return {y, x};
}

Tensor max_pool(const Tensor& x, IntArrayRef kernel, IntArrayRef stride, IntArrayRef padding, bool ceil, bool relu) {
    return pooled(x, kernel, stride, padding, ceil, relu, /*forks=*/false)[0];
}

std::tuple<Tensor, Tensor> max_pool_fork(const Tensor& x, IntArrayRef kernel, IntArrayRef stride, IntArrayRef padding,
                                         bool ceil, bool relu) {
    auto both = pooled(x, kernel, stride, padding, ceil, relu, /*forks=*/true);
    return {both[0], both[1]};
}

} // namespace

TORCH_LIBRARY_FRAGMENT(cnnspec, m) {
    m.def("max_pool(Tensor x, int[2] kernel, int[2] stride, int[2] padding, bool ceil, bool relu) -> Tensor", max_pool);
    m.def("max_pool_fork(Tensor x, int[2] kernel, int[2] stride, int[2] padding, bool ceil, bool relu) -> (Tensor, "
          "Tensor)",
          max_pool_fork);
}

} // namespace cnnspec
