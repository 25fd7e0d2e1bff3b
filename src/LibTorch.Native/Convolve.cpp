// cnnspec::convolve: a convolution, each of whose three products (the map, the gradient of the input, that of the
// filters) is ours where that is the faster and libtorch's everywhere else. Weights stay float32 beside maps of
// bfloat16.
#include "Convolution.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>
#include <tuple>

namespace cnnspec {
namespace {

using at::IntArrayRef;
using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The bounds below are where ours and oneDNN's took the same time (docs/performance.md).
bool winograd_pays(Element element, const ConvShape& s) {
    // The filters' points are worked out in every call, which must be worth it.
    return winograd_fits(element, s) && winograd_saves(s) && tiles_of(s) >= (element == Element::Float32 ? 8 : 32);
}

enum class GradientBy { Libtorch, Image, Winograd, Taps };

GradientBy filter_gradient_by(Element element, const ConvShape& s) {
    if (is_image(s))
        return GradientBy::Image;
    if (!kernels().winograd_gradient || s.channels * s.filters > 256 * 256)
        return GradientBy::Libtorch;
    if (winograd_fits(element, s) && winograd_saves(s))
        return GradientBy::Winograd;
    bool taps =
        element == Element::BFloat16 && !has_matrix_units() && fills_vectors(s) && s.kernelHeight * s.kernelWidth > 1;
    return taps ? GradientBy::Taps : GradientBy::Libtorch;
}

Tensor convolve_image(const Tensor& x, const Tensor& weight, const Tensor& bias, const ConvShape& s) {
    Tensor filters = floats_of(weight), floats = floats_of(bias), y = map_of(s, x);
    ConvEnd end{floats.defined() ? floats.data_ptr<float>() : nullptr, /*addend=*/nullptr, /*relu=*/false};
    kernels().image(element_of(x), s, x.data_ptr(), filters.data_ptr<float>(), end, y.data_ptr());
    return y;
}

Tensor convolve_by_winograd(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& addend,
                            const ConvShape& s, bool rotated) {
    Tensor points = points_of(weight, element_of(x), s, rotated);
    Tensor floats = floats_of(bias), y = map_of(s, x);
    ConvEnd end{floats.defined() ? floats.data_ptr<float>() : nullptr, addend.defined() ? addend.data_ptr() : nullptr,
                /*relu=*/false};
    kernels().winograd(element_of(x), s, x.data_ptr(), points.data_ptr(), end, y.data_ptr());
    return y;
}

// One group; x is channels-last.
Tensor forward_of(const Tensor& x, const Tensor& weight, const Tensor& bias, const Windows& windows) {
    ConvShape s = shape_of(x, weight, windows);
    if (is_image(s))
        return convolve_image(x, weight, bias, s);
    if (winograd_pays(element_of(x), s))
        return convolve_by_winograd(x, weight, bias, /*addend=*/Tensor(), s, /*rotated=*/false);
    auto type = x.scalar_type();
    return at::conv2d(x, weight.to(type), bias.defined() ? bias.to(type) : bias, windows.stride, windows.padding,
                      windows.dilation, 1);
}

// Over all rows, by channel, as batch normalisation's gradient takes them; libtorch's sum takes twenty times as long.
Tensor sums_of(const Tensor& rows) {
    int64_t channels = rows.size(1);
    std::vector<float> products(channels), zeros(channels);
    Tensor sums = at::empty({channels}, at::kFloat);
    NormBackward n{};
    n.element = element_of(rows);
    n.shape = row_shape(rows);
    n.dy = n.x = view_of(rows);
    n.mean = n.scale = n.shift = zeros.data();
    kernels().normalise_sums(n, sums.data_ptr<float>(), products.data());
    return sums;
}

class Convolve : public torch::autograd::Function<Convolve> {
public:
    // Gives y and, where it forks, the input.
    static variable_list forward(AutogradContext* context, const Tensor& input, const Tensor& weight,
                                 const c10::optional<Tensor>& bias, const Windows& windows, bool forks) {
        Tensor x = input.contiguous(at::MemoryFormat::ChannelsLast);
        context->save_for_backward({x, weight});
        context->saved_data["stride"] = windows.stride;
        context->saved_data["padding"] = windows.padding;
        context->saved_data["dilation"] = windows.dilation;
        context->saved_data["bias"] = bias.has_value();
        Tensor y = forward_of(x, weight, bias.value_or(Tensor()), windows);
        return forks ? variable_list{y, neighbours(x, 0, x.size(1))} : variable_list{y};
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const Tensor &x = saved[0], &weight = saved[1];
        auto ints = [&](const char* name) { return context->saved_data[name].toIntVector(); };
        Windows windows{ints("stride"), ints("padding"), ints("dilation")};
        ConvShape s = shape_of(x, weight, windows);
        auto type = x.scalar_type();
        Element element = element_of(x);
        Tensor dy = gradients[0].to(type).contiguous(at::MemoryFormat::ChannelsLast);
        bool wantsInput = context->needs_input_grad(0), wantsWeight = context->needs_input_grad(1);

        Tensor passed, dx, dweight, dbias;
        if (gradients.size() > 1)
            passed = gradients[1].to(type).contiguous(at::MemoryFormat::ChannelsLast);
        if (wantsInput && winograd_pays(element, reversed(s)))
            dx = convolve_by_winograd(dy, weight, /*bias=*/Tensor(), passed, reversed(s), /*rotated=*/true);
        auto by = filter_gradient_by(element, s);
        if (wantsWeight && by != GradientBy::Libtorch) {
            dweight = at::empty(weight.sizes(), at::kFloat);
            if (by == GradientBy::Image)
                kernels().image_gradient(element, s, x.data_ptr(), dy.data_ptr(), dweight.data_ptr<float>());
            else if (by == GradientBy::Winograd)
                kernels().winograd_gradient(element, s, x.data_ptr(), dy.data_ptr(), dweight.data_ptr<float>());
            else
                kernels().filter_gradient(s, x.data_ptr(), dy.data_ptr(), dweight.data_ptr<float>());
            dweight = dweight.to(weight.scalar_type());
        }
        bool inputLeft = wantsInput && !dx.defined(), weightLeft = wantsWeight && !dweight.defined();
        if (inputLeft || weightLeft) {
            auto rest = at::convolution_backward(dy, x, weight.to(type), c10::nullopt, windows.stride, windows.padding,
                                                 windows.dilation, /*transposed=*/false, /*output_padding=*/{0, 0}, 1,
                                                 {inputLeft, weightLeft, false});
            if (inputLeft)
                dx = passed.defined() ? std::get<0>(rest).add_(passed) : std::get<0>(rest);
            if (weightLeft)
                dweight = std::get<1>(rest).to(weight.scalar_type());
        }
        if (context->saved_data["bias"].toBool())
            dbias = sums_of(dy);
        return {dx, dweight, dbias, Tensor(), Tensor()};
    }
};

// y and, where it `forks`, x, whose later readers read it from here: their gradient is added while that of the
// convolution is written. x: [N,C,H,W], weight: [K,C/groups,h,w], bias: [K] → [N,K,H',W'], of x's type.
variable_list convolved(const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& bias, IntArrayRef stride,
                        IntArrayRef padding, IntArrayRef dilation, int64_t groups, bool forks) {
    auto type = x.scalar_type();
    bool fits = groups == 1 && x.dim() == 4 && has_kernels(x) && weight.device().is_cpu();
    if (!fits)
        return {at::conv2d(x, weight.to(type), bias ? bias->to(type) : Tensor(), stride, padding, dilation, groups), x};
    Windows windows{stride.vec(), padding.vec(), dilation.vec()};
    if (c10::GradMode::is_enabled() && (x.requires_grad() || weight.requires_grad() || (bias && bias->requires_grad())))
        return Convolve::apply(x, weight, bias, windows, forks);
    return {forward_of(x.contiguous(at::MemoryFormat::ChannelsLast), weight, bias.value_or(Tensor()), windows), x};
}

Tensor convolve(const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& bias, IntArrayRef stride,
                IntArrayRef padding, IntArrayRef dilation, int64_t groups) {
    return convolved(x, weight, bias, stride, padding, dilation, groups, /*forks=*/false)[0];
}

std::tuple<Tensor, Tensor> convolve_fork(const Tensor& x, const Tensor& weight, const c10::optional<Tensor>& bias,
                                         IntArrayRef stride, IntArrayRef padding, IntArrayRef dilation,
                                         int64_t groups) {
    auto both = convolved(x, weight, bias, stride, padding, dilation, groups, /*forks=*/true);
    return {both[0], both[1]};
}

} // namespace

TORCH_LIBRARY_FRAGMENT(cnnspec, m) {
    m.def("convolve(Tensor x, Tensor weight, Tensor? bias, int[2] stride, int[2] padding, int[2] dilation, int groups) "
          "-> Tensor",
          convolve);
    m.def("convolve_fork(Tensor x, Tensor weight, Tensor? bias, int[2] stride, int[2] padding, int[2] dilation, int "
          "groups) -> (Tensor, Tensor)",
          convolve_fork);
}

} // namespace cnnspec
