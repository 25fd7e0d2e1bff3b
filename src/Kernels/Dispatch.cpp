// Which level of kernels this machine runs, and on which threads.
#include "Kernels.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <omp.h>

namespace cnnspec {

// build.sh says which levels it compiles.
namespace avx512 {
const Kernels& table();
}
namespace avx2 {
const Kernels& table();
}
namespace base {
const Kernels& table();
}

// The team is OpenMP's of the calling thread, which libtorch sizes by its own count of threads.
void run_tasks(int64_t count, void* context, void (*body)(void* context, Tasks& tasks)) {
    Tasks tasks(count);
    const int threads = omp_in_parallel() ? 1 : static_cast<int>(std::min<int64_t>(count, omp_get_max_threads()));
    if (threads <= 1)
        return body(context, tasks);
    std::atomic<bool> failed{false};
#pragma omp parallel num_threads(threads)
    {
        // No exception may leave the team; all that the loops throw is that memory ran out.
        try {
            body(context, tasks);
        } catch (...) {
            failed = true;
        }
    }
    if (failed)
        throw std::bad_alloc();
}

namespace {

const Kernels* level_named(const char* name) {
    const auto is = [&](const char* other) { return name == nullptr || std::strcmp(name, other) == 0; };
#if defined(CNNSPEC_HAS_avx512)
    if (is("avx512") && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512bf16"))
        return &avx512::table();
#endif
#if defined(CNNSPEC_HAS_avx2)
    if (is("avx2") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return &avx2::table();
#endif
#if defined(CNNSPEC_HAS_base)
    if (is("base"))
        return &base::table();
#endif
    return nullptr;
}

std::atomic<const Kernels*>& chosen() {
    static std::atomic<const Kernels*> level{level_named(nullptr)};
    return level;
}

} // namespace

const Kernels& kernels() {
    return *chosen().load(std::memory_order_acquire);
}

bool has_level() {
    return chosen().load(std::memory_order_acquire) != nullptr;
}

bool use_level(const char* name) {
    const Kernels* level = level_named(name);
    if (level)
        chosen().store(level, std::memory_order_release);
    return level != nullptr;
}

bool has_matrix_units() {
#if defined(__x86_64__)
    return __builtin_cpu_supports("amx-bf16");
#else
    return false;
#endif
}

} // namespace cnnspec
