# Sets LIBTORCH_INCLUDE_DIRS, LIBTORCH_LIBRARIES, LIBTORCH_LIBRARY_DIR and LIBTORCH_FLAGS.
#
# A directory that was chosen is read here rather than through its TorchConfig.cmake: that of a CUDA build demands the CUDA
# toolkit, of which this library needs nothing.
if(CNNSPEC_LIBTORCH)
  set(config "${CNNSPEC_LIBTORCH}/share/cmake/Torch/TorchConfig.cmake")
  if(NOT EXISTS "${config}")
    message(FATAL_ERROR "CNNSPEC_LIBTORCH is '${CNNSPEC_LIBTORCH}', but there is no ${config}. "
                        "Point it at an unpacked libtorch or at the 'torch' directory of a pip installation.")
  endif()
  set(LIBTORCH_LIBRARY_DIR "${CNNSPEC_LIBTORCH}/lib")
  set(LIBTORCH_INCLUDE_DIRS "${CNNSPEC_LIBTORCH}/include" "${CNNSPEC_LIBTORCH}/include/torch/csrc/api/include")
  set(LIBTORCH_LIBRARIES "${LIBTORCH_LIBRARY_DIR}/libtorch_cpu.so" "${LIBTORCH_LIBRARY_DIR}/libc10.so")
  if(EXISTS "${LIBTORCH_LIBRARY_DIR}/libtorch_cuda.so")
    # Nothing here calls into these: they are linked so that they load, and register their kernels when they do.
    list(APPEND LIBTORCH_LIBRARIES -Wl,--no-as-needed "${LIBTORCH_LIBRARY_DIR}/libtorch_cuda.so"
         "${LIBTORCH_LIBRARY_DIR}/libc10_cuda.so" "${LIBTORCH_LIBRARY_DIR}/libtorch.so" -Wl,--as-needed)
  endif()
  # Older builds were made with the string type from before C++11, and say so in their configuration.
  file(READ "${config}" text)
  if(text MATCHES "(-D_GLIBCXX_USE_CXX11_ABI=[01])")
    set(LIBTORCH_FLAGS "${CMAKE_MATCH_1}")
  else()
    set(LIBTORCH_FLAGS "")
  endif()
else()
  find_package(Torch QUIET)
  if(NOT Torch_FOUND)
    message(FATAL_ERROR "No libtorch found. Install one ('apt-get install libtorch-dev libopenblas0-pthread' on Debian), "
                        "or set CNNSPEC_LIBTORCH to an unpacked libtorch or to the 'torch' directory of a pip installation.")
  endif()
  set(LIBTORCH_INCLUDE_DIRS ${TORCH_INCLUDE_DIRS})
  set(LIBTORCH_LIBRARIES ${TORCH_LIBRARIES})
  separate_arguments(LIBTORCH_FLAGS UNIX_COMMAND "${TORCH_CXX_FLAGS}")
  get_target_property(library torch IMPORTED_LOCATION)
  if(library)
    get_filename_component(LIBTORCH_LIBRARY_DIR "${library}" DIRECTORY)
  else()
    set(LIBTORCH_LIBRARY_DIR "${TORCH_INSTALL_PREFIX}/lib")
  endif()
endif()
