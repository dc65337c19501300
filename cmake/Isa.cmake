# lamina_add_isas(target source): compiles `source` once per instruction set, each with its name, the width of its
# registers and its flags, and adds the objects to the target.
include(CheckCXXCompilerFlag)

# Square roots need not set errno, and no floating-point trap is handled: both only stand in the way of vectors.
# A product that feeds a sum may become one fused instruction.
set(LAMINA_KERNEL_FLAGS -O3 -fno-math-errno -fno-trapping-math -ffp-contract=fast)
# Vectors cross function boundaries only inside one file, where all agree on how; GCC notes it all the same.
check_cxx_compiler_flag(-Wno-psabi LAMINA_HAS_NO_PSABI)
if(LAMINA_HAS_NO_PSABI)
  list(APPEND LAMINA_KERNEL_FLAGS -Wno-psabi)
endif()

function(lamina_add_isas target source)
  set(isas "baseline:16:")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(isas
      "baseline:16:-march=x86-64"
      "avx2:32:-mavx2 -mfma"
      "avx512:64:-mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mprefer-vector-width=512")
    target_compile_definitions(${target} PRIVATE LAMINA_HAS_X86_ISAS)
  endif()
  foreach(isa IN LISTS isas)
    string(REGEX MATCH "^([^:]*):([^:]*):(.*)$" _ "${isa}")
    set(name ${CMAKE_MATCH_1})
    set(bytes ${CMAKE_MATCH_2})
    separate_arguments(flags UNIX_COMMAND "${CMAKE_MATCH_3}")
    add_library(lamina_${name} OBJECT ${source})
    target_include_directories(lamina_${name} PRIVATE cpp)
    target_compile_definitions(lamina_${name} PRIVATE LAMINA_ISA=${name} LAMINA_VECTOR_BYTES=${bytes})
    target_compile_options(lamina_${name} PRIVATE ${LAMINA_KERNEL_FLAGS} ${flags})
    target_link_libraries(lamina_${name} PRIVATE lamina_warnings lamina_sanitizers)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:lamina_${name}>)
  endforeach()
endfunction()
