// Tensors as the kernels see them: rows of channels.
#pragma once

#include "../Kernels/Kernels.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <c10/util/Optional.h>

namespace cnnspec {

inline bool has_kernels(const at::Tensor& tensor) {
    return tensor.device().is_cpu() && tensor.layout() == at::kStrided && tensor.numel() > 0 &&
           (tensor.scalar_type() == at::kFloat || tensor.scalar_type() == at::kBFloat16);
}

inline Element element_of(const at::Tensor& tensor) {
    return tensor.scalar_type() == at::kFloat ? Element::Float32 : Element::BFloat16;
}

// [N,C,H,W] or [N,C] → N·H·W rows of C.
inline RowShape row_shape(const at::Tensor& tensor) {
    return {tensor.numel() / tensor.size(1), tensor.size(1)};
}

// The stride from row to row, where the tensor's channels are neighbours and its rows follow each other evenly, as in a
// channels-last tensor and in a range of channels of one.
inline c10::optional<int64_t> row_stride(const at::Tensor& tensor) {
    if (tensor.size(1) > 1 && tensor.stride(1) != 1)
        return c10::nullopt;
    c10::optional<int64_t> row;
    int64_t rows = 1;
    for (int64_t dim = tensor.dim() - 1; dim >= 0; dim--) {
        if (dim == 1 || tensor.size(dim) == 1)
            continue;
        if (!row)
            row = tensor.stride(dim);
        if (tensor.stride(dim) != *row * rows || *row < tensor.size(1))
            return c10::nullopt;
        rows *= tensor.size(dim);
    }
    return row.value_or(tensor.size(1));
}

inline at::MemoryFormat channels_inside(const at::Tensor& tensor) {
    return tensor.dim() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
}

// The tensor itself where it is made of rows, else a copy that is.
inline at::Tensor as_rows(const at::Tensor& tensor) {
    return row_stride(tensor) ? tensor : tensor.contiguous(channels_inside(tensor));
}

inline RowView view_of(const at::Tensor& tensor) {
    return {tensor.data_ptr(), *row_stride(tensor)};
}

inline at::Tensor empty_rows(const at::Tensor& like) {
    return at::empty_like(like, like.options().memory_format(channels_inside(like)));
}

// Neighbouring channels of the rows that `tensor` lies in, from `first` on, counted from its own first one; the
// memory is shared, and autograd knows nothing of it.
inline at::Tensor neighbours(const at::Tensor& tensor, int64_t first, int64_t channels) {
    auto sizes = tensor.sizes().vec();
    sizes[1] = channels;
    return at::empty({0}, tensor.options())
        .set_(tensor.storage(), tensor.storage_offset() + first, sizes, tensor.strides());
}

} // namespace cnnspec
