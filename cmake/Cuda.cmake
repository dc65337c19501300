# lamina/_cuda, a module of its own that the core loads when a GPU is first asked for.
add_library(_cuda MODULE ${lamina_device_sources} cpp/backend/cuda/module.cpp cpp/backend/tally.cpp cpp/base/memory.cpp)
set_target_properties(_cuda PROPERTIES PREFIX "" SUFFIX ".so" CXX_VISIBILITY_PRESET hidden)
target_include_directories(_cuda PRIVATE cpp)
target_link_libraries(_cuda PRIVATE ${CMAKE_DL_LIBS})
target_compile_definitions(_cuda PRIVATE LAMINA_VERSION="${LAMINA_VERSION}")

if(LAMINA_CUDA STREQUAL "EMULATED")
  target_sources(_cuda PRIVATE cpp/backend/cuda/emulation.cpp)
  target_link_libraries(_cuda PRIVATE lamina_warnings lamina_sanitizers)
  add_dependencies(_cuda standin_cublas)
else()
  if(LAMINA_SMOKE)
    message(FATAL_ERROR "LAMINA_CUDA=ON and LAMINA_SMOKE=ON compile the same files for two machines: choose one")
  endif()
  # Ampere and Hopper, and for later ones the code that their drivers compile.
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80-real 90 90a-real)
  endif()
  enable_language(CUDA)
  set(lamina_gpu_sources cpp/backend/cuda/device.cpp cpp/backend/cuda/graph.cpp)
  target_sources(_cuda PRIVATE ${lamina_gpu_sources})
  set_source_files_properties(${lamina_device_sources} ${lamina_gpu_sources} cpp/backend/cuda/module.cpp
                              PROPERTIES LANGUAGE CUDA)
  set_target_properties(_cuda PROPERTIES CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON CUDA_VISIBILITY_PRESET hidden
                        CUDA_RUNTIME_LIBRARY Static CUDA_ARCHITECTURES "${CMAKE_CUDA_ARCHITECTURES}")
  # Formulas that host and device share are templates and constexpr functions of the standard library.
  target_compile_options(_cuda PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:--extended-lambda --expt-relaxed-constexpr -Xcompiler=-Wall>)
  if(LAMINA_WERROR)
    target_compile_options(_cuda PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings>)
  endif()
  if(TARGET _core)
    target_compile_definitions(_core PRIVATE LAMINA_WITH_CUDA)
  endif()
endif()

install(TARGETS _cuda LIBRARY DESTINATION lamina)
