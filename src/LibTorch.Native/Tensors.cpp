// Tensors as memory: in, out, and what describes them.
#include "Guard.h"

#include <ATen/ops/empty.h>
#include <algorithm>
#include <cstring>

using namespace cnnspec;

int cnnspec_tensor_from_memory(const void* data, int64_t bytes, const int64_t* shape, int64_t ndim, int8_t dtype,
                               CnnspecTensor* tensor) {
    return guarded([&] {
        auto result = at::empty(at::IntArrayRef(shape, ndim), at::TensorOptions(static_cast<at::ScalarType>(dtype)));
        TORCH_CHECK(static_cast<int64_t>(result.nbytes()) == bytes, "a tensor of shape ", result.sizes(), " needs ",
                    result.nbytes(), " bytes, not ", bytes);
        if (bytes > 0)
            std::memcpy(result.data_ptr(), data, bytes);
        *tensor = to_handle(std::move(result));
    });
}

int cnnspec_tensor_copy_to_memory(CnnspecTensor tensor, void* data, int64_t bytes) {
    return guarded([&] {
        auto source = defined(tensor).detach().to(at::kCPU).contiguous();
        TORCH_CHECK(static_cast<int64_t>(source.nbytes()) == bytes, "this tensor holds ", source.nbytes(), " bytes, not ",
                    bytes);
        if (bytes > 0)
            std::memcpy(data, source.data_ptr(), bytes);
    });
}

int cnnspec_tensor_clone_handle(CnnspecTensor tensor, CnnspecTensor* clone) {
    return guarded([&] { *clone = to_handle(to_tensor(tensor)); });
}

int cnnspec_tensor_free(CnnspecTensor tensor) {
    return guarded([&] {
        if (tensor == nullptr)
            return;
        count_live(-1);
        c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim(static_cast<at::TensorImpl*>(tensor));
    });
}

int cnnspec_tensor_ndim(CnnspecTensor tensor, int64_t* ndim) {
    return guarded([&] { *ndim = impl(tensor)->dim(); });
}

int cnnspec_tensor_shape(CnnspecTensor tensor, int64_t* shape) {
    return guarded([&] {
        auto sizes = impl(tensor)->sizes();
        std::copy(sizes.begin(), sizes.end(), shape);
    });
}

int cnnspec_tensor_strides(CnnspecTensor tensor, int64_t* strides) {
    return guarded([&] {
        auto source = impl(tensor)->strides();
        std::copy(source.begin(), source.end(), strides);
    });
}

int cnnspec_tensor_numel(CnnspecTensor tensor, int64_t* numel) {
    return guarded([&] { *numel = impl(tensor)->numel(); });
}

int cnnspec_tensor_dtype(CnnspecTensor tensor, int8_t* dtype) {
    return guarded([&] { *dtype = static_cast<int8_t>(c10::typeMetaToScalarType(impl(tensor)->dtype())); });
}

int cnnspec_tensor_device(CnnspecTensor tensor, int32_t* type, int32_t* index) {
    return guarded([&] {
        auto device = impl(tensor)->device();
        *type = static_cast<int32_t>(device.type());
        *index = device.index();
    });
}

int cnnspec_tensor_data(CnnspecTensor tensor, void** data) {
    return guarded([&] { *data = defined(tensor).data_ptr(); });
}

int cnnspec_tensor_storage_offset(CnnspecTensor tensor, int64_t* offset) {
    return guarded([&] { *offset = impl(tensor)->storage_offset(); });
}

int cnnspec_tensor_is_contiguous(CnnspecTensor tensor, int8_t memory_format, int8_t* contiguous) {
    return guarded([&] { *contiguous = impl(tensor)->is_contiguous(static_cast<at::MemoryFormat>(memory_format)); });
}
