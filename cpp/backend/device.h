// Backends on devices of their own. They are in a module that is loaded when one is first asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "backend/backend.h"
#include "backend/bfloat16.h"

namespace lamina {

// Whether a backend's name is one of a device: its kind, or that with a colon and its number.
bool names_device(std::string_view name);

// Where the module is looked for; of no effect once it is loaded.
void set_device_module(std::string path);

// Folders, with colons between them, in which the module looks first for libraries of its maker's; likewise.
void set_device_libraries(std::string folders);

// Whether float32 products may round their factors to TF32, of 11 bits, from now on; not so at first.
void allow_tf32(bool allowed);
bool allows_tf32();

// They live as long as the process. std::runtime_error that says what is missing, and how to get it.
template <class T>
const Backend<T>& device_backend(std::string_view name);
const Bfloat16Backend& device_bfloat16(std::string_view name);

// What devices there are, by their makers' names; empty without any. *why, unless it is null: why there is
// none.
std::vector<std::string> device_names(std::string* why = nullptr);

}  // namespace lamina
