// What every exported function is wrapped in, and the two conversions between handles and tensors.
#pragma once

#include "Abi.h"

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>
#include <exception>
#include <string>

namespace cnnspec {

void set_error(std::string message) noexcept;
char* copy_text(const std::string& text);
void count_live(int64_t change) noexcept;

// Runs `body` and turns whatever it throws into a status. c10::Error keeps the message libtorch wrote for its users apart
// from the C++ stack; only the former is of use on the other side.
template <typename Body> int guarded(Body&& body) noexcept {
    try {
        body();
        return 0;
    } catch (const c10::Error& error) {
        set_error(error.what_without_backtrace());
    } catch (const std::exception& error) {
        set_error(error.what());
    } catch (...) {
        set_error("libtorch threw something that is not a std::exception");
    }
    return 1;
}

// Gives the tensor's reference to a new handle.
inline CnnspecTensor to_handle(at::Tensor tensor) {
    if (!tensor.defined())
        return nullptr;
    count_live(1);
    return tensor.unsafeReleaseTensorImpl();
}

// A further reference to what the handle holds; the handle stays valid.
inline at::Tensor to_tensor(CnnspecTensor handle) {
    if (handle == nullptr)
        return at::Tensor();
    return at::Tensor(
        c10::intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>::reclaim_copy(static_cast<at::TensorImpl*>(handle)));
}

// As to_tensor, for functions that need a defined tensor.
inline at::Tensor defined(CnnspecTensor handle) {
    TORCH_CHECK(handle != nullptr, "this tensor is undefined");
    return to_tensor(handle);
}

// The TensorImpl itself, for reads that need no reference of their own.
inline at::TensorImpl* impl(CnnspecTensor handle) {
    TORCH_CHECK(handle != nullptr, "this tensor is undefined");
    return static_cast<at::TensorImpl*>(handle);
}

} // namespace cnnspec
