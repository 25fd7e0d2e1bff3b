// cnnspec::normalise: batch normalisation, a sum and ReLU in one operator with its own gradient. Ioffe and Szegedy
// 2015, arXiv:1502.03167. The values between its parts are never written; the backward pass keeps the input and, where
// there is a sum, the output, both of which their neighbours keep anyway.
#include "ChannelRows.h"

#include <ATen/ops/add.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/relu.h>
#include <cmath>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>
#include <tuple>
#include <vector>

namespace cnnspec {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Settings {
    double momentum, epsilon;
    bool relu;
};

// The channels that are normalised.
struct Part {
    int64_t first, channels;

    Tensor of(const Tensor& whole) const {
        return channels == whole.size(1) ? whole : neighbours(whole, first, channels);
    }
};

Tensor composed(const Tensor& x, const Tensor& addend, const Tensor& weight, const Tensor& bias,
                const Tensor& running_mean, const Tensor& running_var, bool training, const Settings& settings) {
    Tensor y = at::batch_norm(x, weight, bias, running_mean, running_var, training, settings.momentum, settings.epsilon,
                              /*cudnn_enabled=*/true);
    if (addend.defined())
        y = at::add(y, addend);
    return settings.relu ? at::relu(y) : y;
}

Tensor floats(int64_t channels) {
    return at::empty({channels}, at::kFloat);
}

// Factor and offset of each channel, from its mean and variance.
void fold(const Tensor& weight, const Tensor& bias, const float* mean, const float* variance, double epsilon,
          float* scale, float* shift, int64_t channels) {
    const float* gamma = weight.defined() ? weight.data_ptr<float>() : nullptr;
    const float* beta = bias.defined() ? bias.data_ptr<float>() : nullptr;
    for (int64_t c = 0; c < channels; c++) {
        double factor = (gamma ? gamma[c] : 1.0) / std::sqrt(variance[c] + epsilon);
        scale[c] = static_cast<float>(factor);
        shift[c] = static_cast<float>((beta ? beta[c] : 0.0) - factor * mean[c]);
    }
}

void write_rows(const Tensor& x, const Tensor& addend, const Tensor& y, const Tensor& scale, const Tensor& shift,
                bool relu) {
    NormForward n{};
    n.element = element_of(x);
    n.shape = row_shape(x);
    n.x = view_of(x);
    if (addend.defined())
        n.addend = view_of(addend);
    n.y = view_of(y);
    n.scale = scale.data_ptr<float>();
    n.shift = shift.data_ptr<float>();
    n.relu = relu;
    kernels().normalise(n);
}

void track(const Tensor& running_mean, const Tensor& running_var, const float* mean, const float* variance,
           double momentum, int64_t rows) {
    running_mean.unsafeGetTensorImpl()->bump_version();
    running_var.unsafeGetTensorImpl()->bump_version();
    int64_t channels = running_mean.numel();
    double correction = rows > 1 ? static_cast<double>(rows) / (rows - 1) : 1.0;
    float* means = running_mean.data_ptr<float>();
    float* variances = running_var.data_ptr<float>();
    for (int64_t c = 0; c < channels; c++) {
        means[c] = static_cast<float>((1 - momentum) * means[c] + momentum * mean[c]);
        variances[c] = static_cast<float>((1 - momentum) * variances[c] + momentum * correction * variance[c]);
    }
}

class Normalise : public torch::autograd::Function<Normalise> {
public:
    // libtorch takes absent tensors among a function's arguments as optional ones only.
    // Gives y and, where it forks, the whole input.
    static variable_list forward(AutogradContext* context, const Tensor& input, const c10::optional<Tensor>& addend_,
                                 const c10::optional<Tensor>& weight_, const c10::optional<Tensor>& bias_,
                                 const Tensor& running_mean, const Tensor& running_var, const Settings& settings,
                                 const Part& part, bool forks) {
        Tensor whole = as_rows(input), x = part.of(whole), addend = addend_ ? as_rows(*addend_) : Tensor();
        Tensor weight = weight_.value_or(Tensor()), bias = bias_.value_or(Tensor());
        RowShape shape = row_shape(x);
        Tensor mean = floats(shape.channels), variance = floats(shape.channels);
        kernels().moments(element_of(x), shape, view_of(x), mean.data_ptr<float>(), variance.data_ptr<float>());
        track(running_mean, running_var, mean.data_ptr<float>(), variance.data_ptr<float>(), settings.momentum,
              shape.rows);

        Tensor scale = floats(shape.channels), shift = floats(shape.channels), y = empty_rows(x);
        fold(weight, bias, mean.data_ptr<float>(), variance.data_ptr<float>(), settings.epsilon,
             scale.data_ptr<float>(), shift.data_ptr<float>(), shape.channels);
        write_rows(x, addend, y, scale, shift, settings.relu);

        bool keepOutput = settings.relu && addend.defined();
        context->save_for_backward({whole, keepOutput ? y : Tensor(), weight, mean, variance, scale, shift});
        context->saved_data["epsilon"] = settings.epsilon;
        context->saved_data["relu"] = settings.relu;
        context->saved_data["sum"] = addend.defined();
        context->saved_data["first"] = part.first;
        context->saved_data["channels"] = part.channels;
        return forks ? variable_list{y, neighbours(whole, 0, whole.size(1))} : variable_list{y};
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        const Tensor &whole = saved[0], &y = saved[1], &weight = saved[2], &mean = saved[3], &variance = saved[4];
        Part part{context->saved_data["first"].toInt(), context->saved_data["channels"].toInt()};
        Tensor x = part.of(whole);
        Tensor dy = as_rows(gradients[0].to(x.scalar_type()));
        double epsilon = context->saved_data["epsilon"].toDouble();
        bool sum = context->saved_data["sum"].toBool();

        RowShape shape = row_shape(x);
        int64_t channels = shape.channels;
        Tensor passed = gradients.size() > 1 ? as_rows(gradients[1].to(x.scalar_type())) : Tensor(), daddend;
        bool all = part.channels == whole.size(1);
        // What others pass on of other channels is written beside, in the same memory.
        Tensor dwhole = !all && passed.defined() ? passed : empty_rows(whole), dx = part.of(dwhole);
        NormBackward n{};
        n.element = element_of(x);
        n.shape = shape;
        n.dy = view_of(dy);
        n.x = view_of(x);
        n.dx = view_of(dx);
        if (all && passed.defined())
            n.passed = view_of(passed);
        n.mean = mean.data_ptr<float>();
        n.scale = saved[5].data_ptr<float>();
        n.shift = saved[6].data_ptr<float>();
        n.relu = context->saved_data["relu"].toBool();
        if (y.defined())
            n.y = view_of(y);
        if (sum) {
            daddend = n.relu ? empty_rows(dy) : dy;
            if (n.relu)
                n.masked = view_of(daddend);
        }

        Tensor dweight = floats(channels), dbias = floats(channels);
        float *product = dweight.data_ptr<float>(), *total = dbias.data_ptr<float>();
        kernels().normalise_sums(n, total, product);
        std::vector<float> slope(channels), tilt(channels), offset(channels);
        for (int64_t c = 0; c < channels; c++) {
            double inverse = 1 / std::sqrt(variance.data_ptr<float>()[c] + epsilon);
            double factor = inverse * (weight.defined() ? weight.data_ptr<float>()[c] : 1.0);
            slope[c] = static_cast<float>(factor);
            tilt[c] = static_cast<float>(-factor * inverse * inverse * product[c] / shape.rows);
            offset[c] = static_cast<float>(-factor * total[c] / shape.rows);
            product[c] = static_cast<float>(product[c] * inverse);
        }
        kernels().normalise_input(n, slope.data(), tilt.data(), offset.data());
        if (!weight.defined())
            dweight = dbias = Tensor();
        variable_list result{dwhole, daddend, dweight, dbias};
        result.resize(9); // an argument each; the rest have none
        return result;
    }
};

bool one_float_each(const Tensor& tensor, int64_t channels) {
    return !tensor.defined() || (tensor.scalar_type() == at::kFloat && tensor.is_contiguous() &&
                                 tensor.numel() == channels && tensor.device().is_cpu());
}

// y of a part of x's channels and, where it `forks`, x, whose later readers read it from here: their gradient is added,
// or written beside where they read other channels, while that of the part is written. x: [N,C,H,W] or [N,C], float32
// or bfloat16, and so the addend, of the part's size; the rest float32, one a channel of the part. Anything else is
// composed of libtorch's own.
variable_list normalised(const Tensor& x, const Part& part, const c10::optional<Tensor>& addend_,
                         const c10::optional<Tensor>& weight_, const c10::optional<Tensor>& bias_,
                         const Tensor& running_mean, const Tensor& running_var, bool training, const Settings& settings,
                         bool forks) {
    Tensor addend = addend_.value_or(Tensor()), weight = weight_.value_or(Tensor()), bias = bias_.value_or(Tensor());
    bool fits = (x.dim() == 4 || x.dim() == 2) && has_kernels(x) && weight.defined() == bias.defined() &&
                running_mean.defined() && running_var.defined() && x.numel() / x.size(1) > 1 &&
                (!addend.defined() || (addend.scalar_type() == x.scalar_type() && addend.sizes() == x.sizes()));
    for (const Tensor& tensor : {weight, bias, running_mean, running_var})
        fits = fits && one_float_each(tensor, part.channels);
    bool differentiates =
        c10::GradMode::is_enabled() && (x.requires_grad() || (weight.defined() && weight.requires_grad()) ||
                                        (addend.defined() && addend.requires_grad()));
    if (!fits || (!training && differentiates))
        // A narrowed map's gradient is not channels-last.
        return {composed(part.channels == x.size(1) ? x : x.narrow(1, part.first, part.channels), addend, weight, bias,
                         running_mean, running_var, training, settings),
                x};
    if (training)
        return Normalise::apply(x, addend_, weight_, bias_, running_mean, running_var, settings, part, forks);

    Tensor rows = part.of(as_rows(x)), scale = floats(part.channels), shift = floats(part.channels);
    Tensor y = empty_rows(rows);
    fold(weight, bias, running_mean.data_ptr<float>(), running_var.data_ptr<float>(), settings.epsilon,
         scale.data_ptr<float>(), shift.data_ptr<float>(), part.channels);
    write_rows(rows, addend.defined() ? as_rows(addend) : addend, y, scale, shift, settings.relu);
    return {y, x};
}

Tensor normalise(const Tensor& x, const c10::optional<Tensor>& addend, const c10::optional<Tensor>& weight,
                 const c10::optional<Tensor>& bias, const Tensor& running_mean, const Tensor& running_var,
                 bool training, double momentum, double epsilon, bool relu) {
    return normalised(x, {0, x.size(1)}, addend, weight, bias, running_mean, running_var, training,
                      {momentum, epsilon, relu}, /*forks=*/false)[0];
}

std::tuple<Tensor, Tensor> normalise_part(const Tensor& x, int64_t first, int64_t channels, bool forks,
                                          const c10::optional<Tensor>& weight, const c10::optional<Tensor>& bias,
                                          const Tensor& running_mean, const Tensor& running_var, bool training,
                                          double momentum, double epsilon, bool relu) {
    auto both = normalised(x, {first, channels}, c10::nullopt, weight, bias, running_mean, running_var, training,
                           {momentum, epsilon, relu}, forks);
    return {both[0], both.size() > 1 ? both[1] : x};
}

} // namespace

TORCH_LIBRARY_FRAGMENT(cnnspec, m) {
    m.def("normalise(Tensor x, Tensor? addend, Tensor? weight, Tensor? bias, Tensor(a!) running_mean, "
          "Tensor(b!) running_var, bool training, float momentum, float eps, bool relu) -> Tensor",
          normalise);
    m.def("normalise_part(Tensor x, int first, int channels, bool forks, Tensor? weight, Tensor? bias, "
          "Tensor(a!) running_mean, Tensor(b!) running_var, bool training, float momentum, float eps, bool relu) -> "
          "(Tensor, Tensor)",
          normalise_part);
}

} // namespace cnnspec
