// The C ABI between the engine's managed half and libtorch.
//
// Rules that hold for every function:
//  * It returns 0 when it did its work and 1 when it did not; then cnnspec_take_error gives the reason.
//  * No C++ exception leaves it.
//  * A tensor handle owns one reference to a TensorImpl; null is the undefined tensor. Free each one exactly once.
//  * What comes back in `void**` or `char**` memory is malloc'd; give it to cnnspec_free_memory.
#pragma once

#include <cstdint>

#define CNNSPEC_API extern "C" __attribute__((visibility("default")))

using CnnspecTensor = void*;
using CnnspecOperator = void*;
using CnnspecGraph = void*;

// What a CnnspecValue holds. Lists point at `length` elements of 8 bytes (bool lists: 1 byte), owned by the caller for
// arguments and malloc'd for results.
enum CnnspecTag : int64_t {
    CNNSPEC_NONE = 0,
    CNNSPEC_TENSOR = 1,
    CNNSPEC_INT = 2, // also ScalarType, Layout and MemoryFormat, which operators take as their numbers
    CNNSPEC_DOUBLE = 3,
    CNNSPEC_BOOL = 4,
    CNNSPEC_INT_LIST = 5,
    CNNSPEC_DOUBLE_LIST = 6,
    CNNSPEC_BOOL_LIST = 7,
    CNNSPEC_TENSOR_LIST = 8, // null elements only where the operator takes Tensor?[]
    CNNSPEC_STRING = 9,      // UTF-8, `length` bytes
    CNNSPEC_DEVICE = 10,     // payload: type << 32 | index, index 0xffffffff for "the current one"
    CNNSPEC_GENERATOR = 11,
};

struct CnnspecValue {
    int64_t tag;
    union {
        int64_t integer;
        double number;
        void* pointer;
    };
    int64_t length;
};

// Status.cpp
CNNSPEC_API char* cnnspec_take_error();
CNNSPEC_API void cnnspec_free_memory(void* memory);

// Dispatch.cpp
CNNSPEC_API int cnnspec_find_operator(const char* name, const char* overload, CnnspecOperator* op);
CNNSPEC_API int cnnspec_operator_schema(CnnspecOperator op, char** text);
CNNSPEC_API int cnnspec_invoke(CnnspecOperator op, const CnnspecValue* args, int64_t nargs, CnnspecValue* results,
                               int64_t capacity, int64_t* nresults);

// Tensors.cpp
CNNSPEC_API int cnnspec_tensor_from_memory(const void* data, int64_t bytes, const int64_t* shape, int64_t ndim,
                                           int8_t dtype, CnnspecTensor* tensor);
CNNSPEC_API int cnnspec_tensor_copy_to_memory(CnnspecTensor tensor, void* data, int64_t bytes);
CNNSPEC_API int cnnspec_tensor_clone_handle(CnnspecTensor tensor, CnnspecTensor* clone);
CNNSPEC_API int cnnspec_tensor_free(CnnspecTensor tensor);
CNNSPEC_API int cnnspec_tensor_ndim(CnnspecTensor tensor, int64_t* ndim);
CNNSPEC_API int cnnspec_tensor_shape(CnnspecTensor tensor, int64_t* shape);
CNNSPEC_API int cnnspec_tensor_strides(CnnspecTensor tensor, int64_t* strides);
CNNSPEC_API int cnnspec_tensor_numel(CnnspecTensor tensor, int64_t* numel);
CNNSPEC_API int cnnspec_tensor_dtype(CnnspecTensor tensor, int8_t* dtype);
CNNSPEC_API int cnnspec_tensor_device(CnnspecTensor tensor, int32_t* type, int32_t* index);
CNNSPEC_API int cnnspec_tensor_data(CnnspecTensor tensor, void** data);
CNNSPEC_API int cnnspec_tensor_storage_offset(CnnspecTensor tensor, int64_t* offset);
CNNSPEC_API int cnnspec_tensor_is_contiguous(CnnspecTensor tensor, int8_t memory_format, int8_t* contiguous);
CNNSPEC_API int64_t cnnspec_live_tensors();

// Autograd.cpp
CNNSPEC_API int cnnspec_tensor_requires_grad(CnnspecTensor tensor, int8_t* requires_grad);
CNNSPEC_API int cnnspec_tensor_set_requires_grad(CnnspecTensor tensor, int8_t requires_grad);
CNNSPEC_API int cnnspec_tensor_is_leaf(CnnspecTensor tensor, int8_t* is_leaf);
CNNSPEC_API int cnnspec_tensor_grad(CnnspecTensor tensor, CnnspecTensor* grad);
CNNSPEC_API int cnnspec_tensor_set_grad(CnnspecTensor tensor, CnnspecTensor grad);
CNNSPEC_API int cnnspec_tensor_set_data(CnnspecTensor tensor, CnnspecTensor data);
CNNSPEC_API int cnnspec_tensor_backward(CnnspecTensor tensor, CnnspecTensor gradient, int8_t retain_graph,
                                        int8_t create_graph);
CNNSPEC_API int cnnspec_grad_mode(int8_t* enabled);
CNNSPEC_API int cnnspec_set_grad_mode(int8_t enabled);
CNNSPEC_API int cnnspec_inference_mode_enter(int8_t enabled, void** guard);
CNNSPEC_API int cnnspec_inference_mode_leave(void* guard);
CNNSPEC_API int cnnspec_inference_mode(int8_t* enabled);
CNNSPEC_API int cnnspec_autocast(int32_t device_type, int8_t* enabled, int8_t* dtype);
CNNSPEC_API int cnnspec_set_autocast(int32_t device_type, int8_t enabled, int8_t dtype);
CNNSPEC_API int cnnspec_autocast_nesting(int32_t change);

// Random.cpp
CNNSPEC_API int cnnspec_manual_seed(uint64_t seed);
CNNSPEC_API int cnnspec_generator_new(uint64_t seed, int32_t device_type, int32_t device_index, void** generator);
CNNSPEC_API int cnnspec_generator_default(int32_t device_type, int32_t device_index, void** generator);
CNNSPEC_API int cnnspec_generator_free(void* generator);
CNNSPEC_API int cnnspec_generator_device(void* generator, int32_t* type, int32_t* index);
CNNSPEC_API int cnnspec_generator_seed(void* generator, uint64_t* seed);
CNNSPEC_API int cnnspec_generator_set_seed(void* generator, uint64_t seed);
CNNSPEC_API int cnnspec_generator_random_seed(void* generator, uint64_t* seed);
CNNSPEC_API int cnnspec_generator_state(void* generator, CnnspecTensor* state);
CNNSPEC_API int cnnspec_generator_set_state(void* generator, CnnspecTensor state);

// CudaGraph.cpp
CNNSPEC_API int cnnspec_cuda_graphs(int8_t* available);
CNNSPEC_API int cnnspec_cuda_leave_default_stream(int32_t index);
CNNSPEC_API int cnnspec_cuda_graph_begin(CnnspecGraph* graph);
CNNSPEC_API int cnnspec_cuda_graph_end(CnnspecGraph graph);
CNNSPEC_API int cnnspec_cuda_graph_replay(CnnspecGraph graph);
CNNSPEC_API int cnnspec_cuda_graph_free(CnnspecGraph graph);

// Environment.cpp
CNNSPEC_API int cnnspec_version(char** text);
CNNSPEC_API int cnnspec_config(char** text);
CNNSPEC_API int cnnspec_threads(int32_t* threads);
CNNSPEC_API int cnnspec_set_threads(int32_t threads);
CNNSPEC_API int cnnspec_interop_threads(int32_t* threads);
CNNSPEC_API int cnnspec_cuda_device_count(int32_t* count);
// Whether the GPU's library has convolutions of bfloat16.
CNNSPEC_API int cnnspec_cuda_bfloat16(int32_t index, int8_t* convolves);
CNNSPEC_API int cnnspec_cuda_synchronize(int32_t index);
CNNSPEC_API int cnnspec_deterministic(int8_t* enabled);
CNNSPEC_API int cnnspec_set_deterministic(int8_t enabled);
