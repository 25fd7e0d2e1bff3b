// cnnspec::convolve_prepared: a convolution of evaluation, whose filters are turned into what the native kernels read
// once, and whose sum and ReLU are done while the outputs are in registers.
#include "Convolution.h"

#include <ATen/Context.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/mkldnn_convolution.h>
#include <torch/library.h>
#include <tuple>

namespace cnnspec {
namespace {

using at::IntArrayRef;
using at::Tensor;

// The bounds of this file are where ours and oneDNN's took the same time (docs/performance.md).
constexpr int64_t MostPacked = 1 << 18, MostProducts = 1 << 23;

Element element_of(at::ScalarType type) {
    return type == at::kFloat ? Element::Float32 : Element::BFloat16;
}

int64_t products(const ConvShape& s) {
    return s.images * s.outHeight * s.outWidth * s.filters * s.channels * s.kernelHeight * s.kernelWidth;
}

// [K,C,h,w] → points for Winograd's method and filters packed for the direct one, of `type`; each empty where it is of
// no use. Filters of images of one channel are as they are, rounded to `type`, in float32.
std::tuple<Tensor, Tensor> prepare(const Tensor& weight, at::ScalarType type, IntArrayRef stride, IntArrayRef padding,
                                   IntArrayRef dilation) {
    ConvShape s{};
    s.filters = weight.size(0), s.channels = weight.size(1);
    s.kernelHeight = weight.size(2), s.kernelWidth = weight.size(3);
    s.strideHeight = stride[0], s.strideWidth = stride[1];
    s.padTop = padding[0], s.padLeft = padding[1];
    s.dilationHeight = dilation[0], s.dilationWidth = dilation[1];
    auto options = at::TensorOptions().dtype(type);
    bool native = weight.device().is_cpu();
    if (native && is_image(s))
        return {at::empty({0}, options),
                weight.to(type).to(at::kFloat, /*non_blocking=*/false, /*copy=*/true).contiguous()};
    Tensor points = native && winograd_fits(element_of(type), s)
                        ? points_of(weight, element_of(type), s, /*rotated=*/false)
                        : at::empty({0}, options);
    if (!native || !kernels().direct || weight.numel() > MostPacked)
        return {points, at::empty({0}, options)};
    Tensor floats = floats_of(weight);
    Tensor packed = at::empty({kernels().packed_size(element_of(type), s)}, options);
    kernels().pack_filters(element_of(type), s, floats.data_ptr<float>(), packed.data_ptr());
    return {points, packed};
}

// x: [N,C,H,W], weight: [K,C,h,w] of x's type, bias: float32 [K], addend as the result → act(convolution + addend).
Tensor convolve_prepared(const Tensor& input, const Tensor& weight, const c10::optional<Tensor>& bias,
                         const Tensor& points, const Tensor& packed, const c10::optional<Tensor>& addend, bool relu,
                         IntArrayRef stride, IntArrayRef padding, IntArrayRef dilation) {
    Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
    ConvShape s = shape_of(x, weight, {stride.vec(), padding.vec(), dilation.vec()});
    bool byPoints = points.numel() > 0 && winograd_saves(s) && tiles_of(s) >= 16;
    bool native = byPoints || is_image(s) || (packed.numel() > 0 && products(s) <= MostProducts);
    if (!native || !has_kernels(x)) {
        Tensor offset = bias ? bias->to(x.scalar_type()) : Tensor();
        // libtorch takes a method of its own for one image in float32.
        Tensor y = x.device().is_cpu() && x.scalar_type() == at::kFloat && at::globalContext().hasMKLDNN()
                       ? at::mkldnn_convolution(x, weight, offset, padding, stride, dilation, 1)
                       : at::conv2d(x, weight, offset, stride, padding, dilation, 1);
        return finish_(y, addend, relu);
    }
    Tensor y = map_of(s, x);
    Tensor sum = addend ? addend->to(x.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast) : Tensor();
    TORCH_CHECK(!sum.defined() || sum.sizes() == y.sizes(), "the addend is not as the convolution");
    ConvEnd end{bias ? bias->data_ptr<float>() : nullptr, sum.defined() ? sum.data_ptr() : nullptr, relu};
    Element element = cnnspec::element_of(x);
    if (is_image(s)) {
        kernels().image(element, s, x.data_ptr(), packed.data_ptr<float>(), end, y.data_ptr());
        return y;
    }
    auto convolve = byPoints ? kernels().winograd : kernels().direct;
    convolve(element, s, x.data_ptr(), (byPoints ? points : packed).data_ptr(), end, y.data_ptr());
    return y;
}

} // namespace

TORCH_LIBRARY_FRAGMENT(cnnspec, m) {
    m.def("prepare_convolution(Tensor weight, ScalarType type, int[2] stride, int[2] padding, int[2] dilation) -> "
          "(Tensor, Tensor)",
          prepare);
    m.def("convolve_prepared(Tensor x, Tensor weight, Tensor? bias, Tensor points, Tensor packed, Tensor? addend, "
          "bool relu, int[2] stride, int[2] padding, int[2] dilation) -> Tensor",
          convolve_prepared);
}

} // namespace cnnspec
