# lamina_add_isas(target sources): compiles the sources once per instruction set, each with its name, the width of its
# registers and its flags, and adds the objects to the target.
# lamina_add_bfloat16_isas(target source): the same for the sets with instructions for bfloat16, where the compiler knows
# them.
include(CheckCXXCompilerFlag)

# Square roots need not set errno, and no floating-point trap is handled: both only stand in the way of vectors.
# A product that feeds a sum may become one fused instruction.
set(LAMINA_KERNEL_FLAGS -O3 -fno-math-errno -fno-trapping-math -ffp-contract=fast)
# A product's loop that begins within a line of code takes up to a fifth longer (measured on Zen 3).
check_cxx_compiler_flag(-falign-loops=64 LAMINA_ALIGNS_LOOPS)
if(LAMINA_ALIGNS_LOOPS)
  list(APPEND LAMINA_KERNEL_FLAGS -falign-loops=64)
endif()
# Vectors cross function boundaries only inside one file, where all agree on how; GCC notes it all the same.
check_cxx_compiler_flag(-Wno-psabi LAMINA_HAS_NO_PSABI)
if(LAMINA_HAS_NO_PSABI)
  list(APPEND LAMINA_KERNEL_FLAGS -Wno-psabi)
endif()

function(lamina_add_isa target name bytes flags)
  separate_arguments(flags UNIX_COMMAND "${flags}")
  add_library(lamina_${name} OBJECT ${ARGN})
  target_include_directories(lamina_${name} PRIVATE cpp)
  target_compile_definitions(lamina_${name} PRIVATE LAMINA_ISA=${name} LAMINA_VECTOR_BYTES=${bytes})
  target_compile_options(lamina_${name} PRIVATE ${LAMINA_KERNEL_FLAGS} ${flags})
  target_link_libraries(lamina_${name} PRIVATE lamina_warnings lamina_sanitizers)
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:lamina_${name}>)
endfunction()

set(LAMINA_AVX512_FLAGS "-mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mprfchw -mprefer-vector-width=512")

function(lamina_add_isas target)
  set(isas "baseline:16:")
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    set(isas
      "baseline:16:-march=x86-64"
      "avx2:32:-mavx2 -mfma"
      "avx512:64:${LAMINA_AVX512_FLAGS}")
    target_compile_definitions(${target} PRIVATE LAMINA_HAS_X86_ISAS)
  endif()
  foreach(isa IN LISTS isas)
    string(REGEX MATCH "^([^:]*):([^:]*):(.*)$" _ "${isa}")
    lamina_add_isa(${target} ${CMAKE_MATCH_1} ${CMAKE_MATCH_2} "${CMAKE_MATCH_3}" ${ARGN})
  endforeach()
endfunction()

function(lamina_add_bfloat16_isas target source)
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    return()
  endif()
  check_cxx_compiler_flag("-mavx512bf16 -mamx-tile -mamx-bf16" LAMINA_KNOWS_AMX)
  if(LAMINA_KNOWS_AMX)
    set(flags "${LAMINA_AVX512_FLAGS} -mavx512bf16")
    lamina_add_isa(${target} avx512_bf16 64 "${flags}" ${source})
    lamina_add_isa(${target} amx 64 "${flags} -mamx-tile -mamx-bf16 -DLAMINA_AMX" ${source})
    target_compile_definitions(${target} PRIVATE LAMINA_HAS_BFLOAT16_ISAS)
  endif()
endfunction()
