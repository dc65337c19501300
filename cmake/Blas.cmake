# lamina_blas: headers and library of BLAS.
# openblas: the wheel `scipy-openblas32`, a build requirement; its library is copied into the package (under a name of
#   its own, so that the loader does not take another package's copy for it), which then needs the wheel no more.
# system:   what find_package(BLAS) finds, with a cblas.h.
add_library(lamina_blas INTERFACE)

if(LAMINA_BLAS STREQUAL "openblas")
  execute_process(
    COMMAND ${Python_EXECUTABLE} -c
      "import importlib.metadata as m, scipy_openblas32 as b
licence = [f.locate() for f in m.files('scipy-openblas32') if f.name == 'LICENSE.txt'][0]
print(b.get_include_dir(), b.get_lib_dir(), b.get_library(), licence, sep=';')"
    OUTPUT_VARIABLE openblas OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_QUIET)
  if(failed)
    message(FATAL_ERROR "The Python package scipy-openblas32 (0.3.34 or newer) was not found. "
      "`pip install scipy-openblas32` provides it; -DLAMINA_BLAS=system builds with a distribution's BLAS instead.")
  endif()
  list(GET openblas 0 include_dir)
  list(GET openblas 1 library_dir)
  list(GET openblas 2 library)
  list(GET openblas 3 LAMINA_BLAS_LICENSE)
  set(source ${library_dir}/lib${library}${CMAKE_SHARED_LIBRARY_SUFFIX})
  set(LAMINA_BLAS_LIBRARY_DIR ${CMAKE_CURRENT_BINARY_DIR}/blas)
  set(LAMINA_BLAS_LIBRARY ${LAMINA_BLAS_LIBRARY_DIR}/liblamina_openblas${CMAKE_SHARED_LIBRARY_SUFFIX})
  file(MAKE_DIRECTORY ${LAMINA_BLAS_LIBRARY_DIR})
  file(COPY_FILE ${source} ${LAMINA_BLAS_LIBRARY} ONLY_IF_DIFFERENT)
  if(APPLE)
    execute_process(COMMAND install_name_tool -id @rpath/liblamina_openblas.dylib ${LAMINA_BLAS_LIBRARY}
      COMMAND_ERROR_IS_FATAL ANY)
  else()
    find_program(PATCHELF patchelf REQUIRED)
    execute_process(COMMAND ${PATCHELF} --set-soname liblamina_openblas.so ${LAMINA_BLAS_LIBRARY}
      COMMAND_ERROR_IS_FATAL ANY)
  endif()
  target_include_directories(lamina_blas SYSTEM INTERFACE ${include_dir})
  target_link_libraries(lamina_blas INTERFACE ${LAMINA_BLAS_LIBRARY})
  target_compile_definitions(lamina_blas INTERFACE LAMINA_BLAS_SCIPY LAMINA_BLAS_IS_OPENBLAS)
elseif(LAMINA_BLAS STREQUAL "system")
  find_package(BLAS REQUIRED)
  find_path(CBLAS_INCLUDE_DIR cblas.h PATH_SUFFIXES openblas openblas-pthread ${CMAKE_LIBRARY_ARCHITECTURE}/openblas-pthread
    REQUIRED)
  target_include_directories(lamina_blas SYSTEM INTERFACE ${CBLAS_INCLUDE_DIR})
  target_link_libraries(lamina_blas INTERFACE BLAS::BLAS)
  include(CheckSymbolExists)
  set(CMAKE_REQUIRED_LIBRARIES BLAS::BLAS)
  set(CMAKE_REQUIRED_INCLUDES ${CBLAS_INCLUDE_DIR})
  check_symbol_exists(openblas_set_num_threads cblas.h LAMINA_SYSTEM_BLAS_IS_OPENBLAS)
  if(LAMINA_SYSTEM_BLAS_IS_OPENBLAS)
    target_compile_definitions(lamina_blas INTERFACE LAMINA_BLAS_IS_OPENBLAS)
  endif()
else()
  message(FATAL_ERROR "LAMINA_BLAS: expected openblas or system, got ${LAMINA_BLAS}")
endif()

function(lamina_install_blas destination)
  if(LAMINA_BLAS STREQUAL "openblas")
    install(FILES ${LAMINA_BLAS_LIBRARY} DESTINATION ${destination})
    install(FILES ${LAMINA_BLAS_LICENSE} DESTINATION ${destination} RENAME LICENSE-OpenBLAS.txt)
  endif()
endfunction()
