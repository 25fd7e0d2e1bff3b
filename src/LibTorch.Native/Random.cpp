// Random number generators: the default ones, new ones, their seeds, and their whole state for an exact resume.
#include "Guard.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/Generator.h>
#include <mutex>

using namespace cnnspec;

namespace {
at::Generator& generator_of(void* handle) {
    TORCH_CHECK(handle != nullptr, "this generator is disposed");
    return *static_cast<at::Generator*>(handle);
}

c10::Device device_of(int32_t type, int32_t index) {
    return {static_cast<c10::DeviceType>(type), static_cast<c10::DeviceIndex>(index)};
}
} // namespace

int cnnspec_manual_seed(uint64_t seed) {
    return guarded([&] { at::manual_seed(seed); });
}

int cnnspec_generator_new(uint64_t seed, int32_t device_type, int32_t device_index, void** generator) {
    return guarded([&] {
        auto device = device_of(device_type, device_index);
        auto created = device.is_cpu() ? at::detail::createCPUGenerator(seed)
                                       : at::globalContext().defaultGenerator(device).clone();
        created.set_current_seed(seed);
        *generator = new at::Generator(std::move(created));
    });
}

int cnnspec_generator_default(int32_t device_type, int32_t device_index, void** generator) {
    return guarded([&] {
        *generator = new at::Generator(at::globalContext().defaultGenerator(device_of(device_type, device_index)));
    });
}

int cnnspec_generator_free(void* generator) {
    return guarded([&] { delete static_cast<at::Generator*>(generator); });
}

int cnnspec_generator_device(void* generator, int32_t* type, int32_t* index) {
    return guarded([&] {
        auto device = generator_of(generator).device();
        *type = static_cast<int32_t>(device.type());
        *index = device.index();
    });
}

int cnnspec_generator_seed(void* generator, uint64_t* seed) {
    return guarded([&] { *seed = generator_of(generator).current_seed(); });
}

int cnnspec_generator_set_seed(void* generator, uint64_t seed) {
    return guarded([&] {
        auto& target = generator_of(generator);
        std::lock_guard<std::mutex> lock(target.mutex());
        target.set_current_seed(seed);
    });
}

int cnnspec_generator_random_seed(void* generator, uint64_t* seed) {
    return guarded([&] {
        auto& target = generator_of(generator);
        std::lock_guard<std::mutex> lock(target.mutex());
        *seed = target.seed();
    });
}

int cnnspec_generator_state(void* generator, CnnspecTensor* state) {
    return guarded([&] {
        auto& source = generator_of(generator);
        std::lock_guard<std::mutex> lock(source.mutex());
        *state = to_handle(source.get_state());
    });
}

int cnnspec_generator_set_state(void* generator, CnnspecTensor state) {
    return guarded([&] {
        auto& target = generator_of(generator);
        std::lock_guard<std::mutex> lock(target.mutex());
        target.set_state(defined(state));
    });
}
