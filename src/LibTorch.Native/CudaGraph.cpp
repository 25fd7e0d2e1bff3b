// CUDA graphs: work of a GPU that is captured once and then launched whole, which costs the processor one call. What
// can be captured, and what of memory and random numbers holds in a replay, is libtorch's at::cuda::CUDAGraph, as
// torch.cuda.graph.
#include "Guard.h"

#ifdef CNNSPEC_CUDA_GRAPHS
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDACachingAllocator.h>
#include <c10/cuda/CUDAFunctions.h>
#include <c10/cuda/CUDAStream.h>
#include <memory>
#endif

using namespace cnnspec;

#ifdef CNNSPEC_CUDA_GRAPHS

namespace {

at::cuda::CUDAGraph* graph_of(CnnspecGraph handle) {
    TORCH_CHECK(handle != nullptr, "there is no graph");
    return static_cast<at::cuda::CUDAGraph*>(handle);
}

} // namespace

int cnnspec_cuda_graphs(int8_t* available) {
    return guarded([&] { *available = 1; });
}

// CUDA cannot capture its default stream. Work of this thread goes to another stream of the device from here on, once
// all that was asked before is done.
int cnnspec_cuda_leave_default_stream(int32_t index) {
    return guarded([&] {
        auto device = static_cast<c10::DeviceIndex>(index);
        c10::cuda::set_device(device);
        if (c10::cuda::getCurrentCUDAStream(device) != c10::cuda::getDefaultCUDAStream(device))
            return;
        c10::cuda::device_synchronize();
        c10::cuda::setCurrentCUDAStream(c10::cuda::getStreamFromPool(/*isHighPriority=*/false, device));
    });
}

int cnnspec_cuda_graph_begin(CnnspecGraph* graph) {
    return guarded([&] {
        auto made = std::make_unique<at::cuda::CUDAGraph>();
        // A graph has memory of its own, which cannot be what earlier work left in libtorch's cache.
        c10::cuda::device_synchronize();
        c10::cuda::CUDACachingAllocator::emptyCache();
        made->capture_begin();
        *graph = made.release();
    });
}

int cnnspec_cuda_graph_end(CnnspecGraph graph) {
    return guarded([&] { graph_of(graph)->capture_end(); });
}

int cnnspec_cuda_graph_replay(CnnspecGraph graph) {
    return guarded([&] { graph_of(graph)->replay(); });
}

int cnnspec_cuda_graph_free(CnnspecGraph graph) {
    return guarded([&] { delete static_cast<at::cuda::CUDAGraph*>(graph); });
}

#else

namespace {

int without_graphs() {
    return guarded([] { TORCH_CHECK(false, "the engine was built without CUDA's headers, so it has no CUDA graphs"); });
}

} // namespace

int cnnspec_cuda_graphs(int8_t* available) {
    return guarded([&] { *available = 0; });
}

int cnnspec_cuda_leave_default_stream(int32_t) {
    return without_graphs();
}

int cnnspec_cuda_graph_begin(CnnspecGraph*) {
    return without_graphs();
}

int cnnspec_cuda_graph_end(CnnspecGraph) {
    return without_graphs();
}

int cnnspec_cuda_graph_replay(CnnspecGraph) {
    return without_graphs();
}

int cnnspec_cuda_graph_free(CnnspecGraph) {
    return without_graphs();
}

#endif
