// Which level of kernels this machine runs.
#include "Kernels.h"

#include <ATen/Parallel.h>
#include <algorithm>

#if AT_PARALLEL_OPENMP && !defined(_OPENMP)
#error "without OpenMP these loops would run on one thread: see CMakeLists.txt"
#endif

namespace cnnspec {

#if defined(CNNSPEC_X86_LEVELS)
namespace avx512 {
const Kernels& table();
}
namespace avx2 {
const Kernels& table();
}
#endif
namespace base {
const Kernels& table();
}

void run_tasks(int64_t count, void* context, void (*body)(void* context, Tasks& tasks)) {
    Tasks tasks(count);
    at::parallel_for(0, std::min<int64_t>(count, at::get_num_threads()), 1, [&](int64_t begin, int64_t end) {
        for (int64_t worker = begin; worker < end; worker++)
            body(context, tasks);
    });
}

const Kernels& kernels() {
#if defined(CNNSPEC_X86_LEVELS)
    static const Kernels& best = [&]() -> const Kernels& {
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512bf16"))
            return avx512::table();
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
            return avx2::table();
        return base::table();
    }();
    return best;
#else
    return base::table();
#endif
}

} // namespace cnnspec
