// What this libtorch is and what it runs on.
#include "Guard.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/version.h>

using namespace cnnspec;

int cnnspec_version(char** text) {
    return guarded([&] { *text = copy_text(TORCH_VERSION); });
}

int cnnspec_config(char** text) {
    return guarded([&] { *text = copy_text(at::show_config() + at::get_parallel_info()); });
}

int cnnspec_threads(int32_t* threads) {
    return guarded([&] { *threads = at::get_num_threads(); });
}

int cnnspec_set_threads(int32_t threads) {
    return guarded([&] { at::set_num_threads(threads); });
}

int cnnspec_interop_threads(int32_t* threads) {
    return guarded([&] { *threads = at::get_num_interop_threads(); });
}

int cnnspec_cuda_device_count(int32_t* count) {
    return guarded(
        [&] { *count = at::hasCUDA() ? c10::impl::VirtualGuardImpl(c10::DeviceType::CUDA).deviceCount() : 0; });
}

int cnnspec_cuda_bfloat16(int32_t index, int8_t* convolves) {
    return guarded([&] {
        c10::DeviceGuard guard(c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index)));
        *convolves = at::detail::getCUDAHooks().supportsBFloat16ConvolutionWithCuDNNv8();
    });
}

int cnnspec_cuda_synchronize(int32_t index) {
    return guarded([&] {
        // Through the device-neutral guard, so that nothing here needs CUDA's headers.
        c10::impl::VirtualGuardImpl guard(c10::DeviceType::CUDA);
        auto device = c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index));
        guard.getStream(index < 0 ? guard.getDevice() : device).synchronize();
    });
}

int cnnspec_deterministic(int8_t* enabled) {
    return guarded([&] { *enabled = at::globalContext().deterministicAlgorithms(); });
}

int cnnspec_set_deterministic(int8_t enabled) {
    return guarded([&] { at::globalContext().setDeterministicAlgorithms(enabled != 0, /*warn_only=*/false); });
}
