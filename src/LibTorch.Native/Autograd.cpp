// Gradients, and the modes of a thread that decide how operators treat them: grad mode, inference mode, autocast.
#include "Guard.h"

#include <ATen/autocast_mode.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <torch/version.h>

using namespace cnnspec;

int cnnspec_tensor_requires_grad(CnnspecTensor tensor, int8_t* requires_grad) {
    return guarded([&] { *requires_grad = impl(tensor)->requires_grad(); });
}

int cnnspec_tensor_set_requires_grad(CnnspecTensor tensor, int8_t requires_grad) {
    return guarded([&] { defined(tensor).requires_grad_(requires_grad != 0); });
}

int cnnspec_tensor_is_leaf(CnnspecTensor tensor, int8_t* is_leaf) {
    return guarded([&] { *is_leaf = defined(tensor).is_leaf(); });
}

int cnnspec_tensor_grad(CnnspecTensor tensor, CnnspecTensor* grad) {
    return guarded([&] { *grad = to_handle(defined(tensor).grad()); });
}

int cnnspec_tensor_set_grad(CnnspecTensor tensor, CnnspecTensor grad) {
    return guarded([&] { defined(tensor).mutable_grad() = to_tensor(grad); });
}

int cnnspec_tensor_set_data(CnnspecTensor tensor, CnnspecTensor data) {
    return guarded([&] { defined(tensor).set_data(defined(data)); });
}

int cnnspec_tensor_backward(CnnspecTensor tensor, CnnspecTensor gradient, int8_t retain_graph, int8_t create_graph) {
    return guarded([&] { defined(tensor).backward(to_tensor(gradient), retain_graph != 0, create_graph != 0); });
}

int cnnspec_grad_mode(int8_t* enabled) {
    return guarded([&] { *enabled = c10::GradMode::is_enabled(); });
}

int cnnspec_set_grad_mode(int8_t enabled) {
    return guarded([&] { c10::GradMode::set_enabled(enabled != 0); });
}

int cnnspec_inference_mode_enter(int8_t enabled, void** guard) {
    return guarded([&] { *guard = new c10::InferenceMode(enabled != 0); });
}

int cnnspec_inference_mode_leave(void* guard) {
    return guarded([&] { delete static_cast<c10::InferenceMode*>(guard); });
}

int cnnspec_inference_mode(int8_t* enabled) {
    return guarded([&] { *enabled = c10::InferenceMode::is_enabled(); });
}

// libtorch 2.4 gave the autocast functions a device argument; before, CPU and CUDA had functions of their own.
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 4)

int cnnspec_autocast(int32_t device_type, int8_t* enabled, int8_t* dtype) {
    return guarded([&] {
        auto device = static_cast<at::DeviceType>(device_type);
        *enabled = at::autocast::is_autocast_enabled(device);
        *dtype = static_cast<int8_t>(at::autocast::get_autocast_dtype(device));
    });
}

int cnnspec_set_autocast(int32_t device_type, int8_t enabled, int8_t dtype) {
    return guarded([&] {
        auto device = static_cast<at::DeviceType>(device_type);
        at::autocast::set_autocast_enabled(device, enabled != 0);
        at::autocast::set_autocast_dtype(device, static_cast<at::ScalarType>(dtype));
    });
}

#else

int cnnspec_autocast(int32_t device_type, int8_t* enabled, int8_t* dtype) {
    return guarded([&] {
        bool cpu = static_cast<at::DeviceType>(device_type) == at::kCPU;
        *enabled = cpu ? at::autocast::is_cpu_enabled() : at::autocast::is_enabled();
        *dtype = static_cast<int8_t>(cpu ? at::autocast::get_autocast_cpu_dtype()
                                         : at::autocast::get_autocast_gpu_dtype());
    });
}

int cnnspec_set_autocast(int32_t device_type, int8_t enabled, int8_t dtype) {
    return guarded([&] {
        if (static_cast<at::DeviceType>(device_type) == at::kCPU) {
            at::autocast::set_cpu_enabled(enabled != 0);
            at::autocast::set_autocast_cpu_dtype(static_cast<at::ScalarType>(dtype));
        } else {
            at::autocast::set_enabled(enabled != 0);
            at::autocast::set_autocast_gpu_dtype(static_cast<at::ScalarType>(dtype));
        }
    });
}

#endif

// Autocast keeps the casts of weights until the outermost scope ends; a weight may change between two of them.
int cnnspec_autocast_nesting(int32_t change) {
    return guarded([&] {
        if (change > 0)
            at::autocast::increment_nesting();
        else if (at::autocast::decrement_nesting() == 0)
            at::autocast::clear_cache();
    });
}
