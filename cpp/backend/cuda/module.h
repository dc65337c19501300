// What the core and the module agree on. Both are built from one source; the table's first members say
// whether they were.
#pragma once

#include <cstddef>

namespace lamina::cuda {

// Changes with anything that the two share: the verbs, their arguments, this table.
inline constexpr int kInterface = 8;

struct Module {
  int interface;
  const char* version;  // of Lamina
  const char* kind;     // what a name of its devices begins with
  // How many devices there are; where there is none, what is missing goes to `why`, of so many bytes.
  int (*count)(char* why, std::size_t size);
  // The name of a device, cut to so many bytes.
  void (*name)(int number, char* out, std::size_t size);
  // A const Backend<float>* (bytes: 4) or Backend<double>* (8) that lives as long as the process; null where
  // that fails, with the reason in `why`.
  const void* (*backend)(int number, int bytes, char* why, std::size_t size);
  // The same for a const Bfloat16Backend*.
  const void* (*bfloat16)(int number, char* why, std::size_t size);
  // See cublas.h.
  void (*set_library_folders)(const char* folders);
  void (*allow_tf32)(int allowed);
};

// The name of the module's one function, `const Module* ()`.
inline constexpr const char* kFactory = "lamina_cuda_module";

}  // namespace lamina::cuda
