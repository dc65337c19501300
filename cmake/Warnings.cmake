# lamina_warnings: what the compiler should object to in Lamina's own code.
add_library(lamina_warnings INTERFACE)
target_compile_options(lamina_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wnon-virtual-dtor)
option(LAMINA_WERROR "Treat warnings as errors" OFF)
if(LAMINA_WERROR)
  target_compile_options(lamina_warnings INTERFACE -Werror)
endif()
