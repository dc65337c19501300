# lamina_sanitizers: the run-time checks of -DLAMINA_SANITIZE=address, undefined or "address,undefined". At -O1, kernels
# too: checked code takes GCC eight minutes an instruction set at -O3, and at -O0 the smoke test runs for as long.
set(LAMINA_SANITIZE "" CACHE STRING "Sanitizers to build with, comma-separated")
add_library(lamina_sanitizers INTERFACE)
if(LAMINA_SANITIZE)
  target_compile_options(lamina_sanitizers INTERFACE
    -O1 -g1 -fsanitize=${LAMINA_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(lamina_sanitizers INTERFACE -fsanitize=${LAMINA_SANITIZE})
endif()
