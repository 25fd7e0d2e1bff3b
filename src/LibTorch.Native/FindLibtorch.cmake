# Sets LIBTORCH_INCLUDE_DIRS, LIBTORCH_LIBRARIES, LIBTORCH_LIBRARY_DIR and LIBTORCH_FLAGS; for a libtorch with CUDA also
# LIBTORCH_CUDA_INCLUDE_DIR, where its headers are found, without which there are no CUDA graphs.
#
# libtorch is looked for here rather than through its TorchConfig.cmake: that of a CUDA build demands the whole CUDA toolkit, of
# which this library needs a header.
if(CNNSPEC_LIBTORCH)
  set(config "${CNNSPEC_LIBTORCH}/share/cmake/Torch/TorchConfig.cmake")
  if(NOT EXISTS "${config}")
    message(FATAL_ERROR "CNNSPEC_LIBTORCH is '${CNNSPEC_LIBTORCH}', but there is no ${config}. "
                        "Point it at an unpacked libtorch or at the 'torch' directory of a pip installation.")
  endif()
  set(LIBTORCH_LIBRARY_DIR "${CNNSPEC_LIBTORCH}/lib")
  set(include "${CNNSPEC_LIBTORCH}/include")
else()
  # Not from the cache: another libtorch may have been installed since.
  unset(LIBTORCH_CPU CACHE)
  unset(LIBTORCH_INCLUDE CACHE)
  find_library(LIBTORCH_CPU torch_cpu)
  find_path(LIBTORCH_INCLUDE torch/csrc/api/include/torch/torch.h)
  if(NOT LIBTORCH_CPU OR NOT LIBTORCH_INCLUDE)
    message(FATAL_ERROR "No libtorch found. Install one ('apt-get install libtorch-dev libopenblas0-pthread' on Debian), "
                        "or set CNNSPEC_LIBTORCH to an unpacked libtorch or to the 'torch' directory of a pip installation.")
  endif()
  get_filename_component(LIBTORCH_LIBRARY_DIR "${LIBTORCH_CPU}" DIRECTORY)
  set(include "${LIBTORCH_INCLUDE}")
  set(config "${LIBTORCH_LIBRARY_DIR}/cmake/Torch/TorchConfig.cmake")
endif()

set(LIBTORCH_INCLUDE_DIRS "${include}" "${include}/torch/csrc/api/include")
set(LIBTORCH_LIBRARIES "${LIBTORCH_LIBRARY_DIR}/libtorch_cpu.so" "${LIBTORCH_LIBRARY_DIR}/libc10.so")

# Older builds were made with the string type from before C++11, and say so in their configuration.
set(LIBTORCH_FLAGS "")
if(EXISTS "${config}")
  file(READ "${config}" text)
  if(text MATCHES "(-D_GLIBCXX_USE_CXX11_ABI=[01])")
    set(LIBTORCH_FLAGS "${CMAKE_MATCH_1}")
  endif()
endif()

set(LIBTORCH_CUDA_INCLUDE_DIR "")
set(LIBTORCH_CUDA_GRAPHS "no, libtorch is without CUDA")
if(EXISTS "${LIBTORCH_LIBRARY_DIR}/libtorch_cuda.so")
  # Linked whether or not anything here calls into them, so that they load, and register their kernels when they do.
  list(APPEND LIBTORCH_LIBRARIES -Wl,--no-as-needed "${LIBTORCH_LIBRARY_DIR}/libtorch_cuda.so"
       "${LIBTORCH_LIBRARY_DIR}/libc10_cuda.so" "${LIBTORCH_LIBRARY_DIR}/libtorch.so" -Wl,--as-needed)
  # pip packages bring the headers of their CUDA in packages beside torch.
  file(GLOB bundled "${LIBTORCH_LIBRARY_DIR}/../../nvidia/cu*/include")
  unset(CUDA_RUNTIME_INCLUDE CACHE)
  find_path(CUDA_RUNTIME_INCLUDE cuda_runtime_api.h
            HINTS ${bundled} "$ENV{CUDA_HOME}/include" "$ENV{CUDA_PATH}/include" /usr/local/cuda/include)
  if(CUDA_RUNTIME_INCLUDE)
    # Headers in parts, or of another CUDA, cost the graphs, not the build.
    set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
    try_compile(compiles "${CMAKE_BINARY_DIR}/cuda-graphs" "${CMAKE_CURRENT_LIST_DIR}/CudaGraph.cpp"
                CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${LIBTORCH_INCLUDE_DIRS};${CUDA_RUNTIME_INCLUDE}"
                COMPILE_DEFINITIONS -DCNNSPEC_CUDA_GRAPHS ${LIBTORCH_FLAGS}
                CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON
                OUTPUT_VARIABLE output)
    unset(CMAKE_TRY_COMPILE_TARGET_TYPE)
    if(compiles)
      set(LIBTORCH_CUDA_INCLUDE_DIR "${CUDA_RUNTIME_INCLUDE}")
      set(LIBTORCH_CUDA_GRAPHS "yes")
    else()
      string(REGEX MATCH "[^\n]*error:[^\n]*" reason "${output}")
      set(LIBTORCH_CUDA_GRAPHS "no, they do not compile with ${CUDA_RUNTIME_INCLUDE}: ${reason}")
    endif()
  else()
    set(LIBTORCH_CUDA_GRAPHS "no, there is no cuda_runtime_api.h: set CUDA_HOME to a CUDA of libtorch's version")
  endif()
endif()
