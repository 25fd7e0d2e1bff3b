// cnnspec::concat: maps joined by channel in the memory of one of them, which was made with room around it. A chain of
// concatenations, as in DenseNet (Huang et al. 2017, arXiv:1608.06993), then copies what is new alone.
#include "ChannelRows.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>
#include <vector>

namespace cnnspec {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// As normalisation by 1 and -0, to which every value is itself.
void copy_rows(const Tensor& from, const Tensor& to) {
    std::vector<float> ones(from.size(1), 1.0f), zeros(from.size(1), -0.0f);
    NormForward n{};
    n.element = element_of(from);
    n.shape = row_shape(from);
    n.x = view_of(from);
    n.y = view_of(to);
    n.scale = ones.data();
    n.shift = zeros.data();
    kernels().normalise(n);
}

// The rows' whole width of memory of its own, and `channels` of it from `first` on.
Tensor with_room(const Tensor& like, int64_t first, int64_t channels, int64_t width) {
    auto sizes = like.sizes().vec();
    sizes[1] = width;
    return neighbours(at::empty(sizes, like.options().memory_format(channels_inside(like))), first, channels);
}

// Whether there are so many channels before and after the tensor's in its rows.
bool has_room(const Tensor& tensor, int64_t before, int64_t after) {
    auto stride = row_stride(tensor);
    if (!stride)
        return false;
    int64_t first = tensor.storage_offset() % *stride;
    return first >= before && first + tensor.size(1) + after <= *stride;
}

class Concat : public torch::autograd::Function<Concat> {
public:
    static Tensor forward(AutogradContext* context, at::TensorList pieces, int64_t base, int64_t before,
                          int64_t after) {
        std::vector<int64_t> ends(1);
        for (const Tensor& piece : pieces)
            ends.push_back(ends.back() + piece.size(1));
        context->saved_data["ends"] = ends;
        context->saved_data["base"] = base;
        int64_t channels = ends.back();
        bool within = base >= 0 && has_room(pieces[base], ends[base], channels - ends[base + 1]);
        Tensor y = within ? neighbours(pieces[base], -ends[base], channels)
                          : with_room(pieces[0], before, channels, before + channels + after);
        for (size_t i = 0; i < pieces.size(); i++)
            if (!within || static_cast<int64_t>(i) != base)
                copy_rows(as_rows(pieces[i]), neighbours(y, ends[i], pieces[i].size(1)));
        return y;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        auto ends = context->saved_data["ends"].toIntVector();
        variable_list result;
        Tensor dy = as_rows(gradients[0]);
        for (size_t i = 0; i + 1 < ends.size(); i++) {
            Tensor part = dy.narrow(1, ends[i], ends[i + 1] - ends[i]);
            // What is new came from a layer that reads rows without gaps.
            bool grown = context->saved_data["base"].toInt() == static_cast<int64_t>(i);
            result.push_back(grown ? part : empty_rows(part));
            if (!grown)
                copy_rows(part, result.back());
        }
        result.resize(result.size() + 3);
        return result;
    }
};

// [N,Cᵢ,H,W] or [N,Cᵢ] → [N,ΣCᵢ,H,W]. The piece number `base` (none: -1) lends the room around it, if it has any, to
// the others, so it can do so once. Where none does, the result lies in memory of its own with `before` and `after`
// channels of room around its own.
Tensor concat(at::TensorList pieces, int64_t base, int64_t before, int64_t after) {
    bool fits = true;
    for (const Tensor& piece : pieces) {
        fits = fits && has_kernels(piece) && (piece.dim() == 4 || piece.dim() == 2) && piece.dim() == pieces[0].dim() &&
               piece.scalar_type() == pieces[0].scalar_type();
        for (int64_t dim = 0; fits && dim < piece.dim(); dim++)
            fits = dim == 1 || piece.size(dim) == pieces[0].size(dim);
    }
    return fits ? Concat::apply(pieces, base, before, after) : at::cat(pieces, 1);
}

} // namespace

TORCH_LIBRARY_FRAGMENT(cnnspec, m) {
    m.def("concat(Tensor[] pieces, int base, int before, int after) -> Tensor", concat);
}

} // namespace cnnspec
