// The core's side of the module: it is found, compared and asked for backends.
#include <dlfcn.h>

#include <array>
#include <charconv>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "backend/cuda/module.h"
#include "backend/device.h"
#include "base/error.h"

namespace lamina {
namespace {

constexpr std::string_view kKind = "cuda";
constexpr const char* kHow =
    "; build Lamina with it where CUDA 12 or 13 is installed: pip install . -C cmake.define.LAMINA_CUDA=ON "
    "(docs/gpu.md)";

struct Loaded {
  std::mutex mutex;
  std::string path, library_folders;
  bool tf32 = false;
  const cuda::Module* module = nullptr;
};

Loaded& loaded() {
  static Loaded* const kept = new Loaded;
  return *kept;
}

[[noreturn]] void fail(const std::string& why) {
  throw std::runtime_error(text("device: ", kKind, ": ", why));
}

const cuda::Module& module_of_devices() {
  Loaded& all = loaded();
  const std::lock_guard lock(all.mutex);
  if (all.module != nullptr) return *all.module;
  void* const library = all.path.empty() ? nullptr : dlopen(all.path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const error = all.path.empty() ? "no place for it is known" : dlerror();
    fail(text("this build of Lamina has no module for GPUs (", error, ")", kHow));
  }
  using Factory = const cuda::Module* (*)();
  const auto factory = reinterpret_cast<Factory>(dlsym(library, cuda::kFactory));
  const cuda::Module* const module = factory != nullptr ? factory() : nullptr;
  if (module == nullptr || module->interface != cuda::kInterface ||
      std::string_view(module->version) != LAMINA_VERSION) {
    const std::string other =
        module != nullptr ? text("Lamina ", module->version) : std::string("another program");
    dlclose(library);
    fail(text(all.path, " was built for ", other, ", and this is Lamina " LAMINA_VERSION, kHow));
  }
  module->set_library_folders(all.library_folders.c_str());
  module->allow_tf32(int{all.tf32});
  return *(all.module = module);
}

// The number behind the kind, 0 without one; -1 for no such name.
int number_of(std::string_view name) {
  if (name.substr(0, kKind.size()) != kKind) return -1;
  name.remove_prefix(kKind.size());
  if (name.empty()) return 0;
  int number = -1;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), number);
  return name.front() == ':' && error == std::errc{} && end == name.data() + name.size() ? number : -1;
}

// ask(module, why, size of why) gives one, or null and a reason.
template <class Given, class Ask>
const Given& found(Ask&& ask) {
  std::array<char, 512> why{};
  const void* const given = ask(module_of_devices(), why.data(), why.size());
  if (given == nullptr) fail(why.data());
  return *static_cast<const Given*>(given);
}

}  // namespace

bool names_device(std::string_view name) { return number_of(name) >= 0; }

void set_device_module(std::string path) {
  const std::lock_guard lock(loaded().mutex);
  loaded().path = std::move(path);
}

void set_device_libraries(std::string folders) {
  const std::lock_guard lock(loaded().mutex);
  loaded().library_folders = std::move(folders);
}

void allow_tf32(bool allowed) {
  Loaded& all = loaded();
  const std::lock_guard lock(all.mutex);
  all.tf32 = allowed;
  if (all.module != nullptr) all.module->allow_tf32(int{allowed});
}

bool allows_tf32() {
  const std::lock_guard lock(loaded().mutex);
  return loaded().tf32;
}

template <class T>
const Backend<T>& device_backend(std::string_view name) {
  return found<Backend<T>>([&](const cuda::Module& module, char* why, std::size_t size) {
    return module.backend(number_of(name), int{sizeof(T)}, why, size);
  });
}

const Bfloat16Backend& device_bfloat16(std::string_view name) {
  return found<Bfloat16Backend>([&](const cuda::Module& module, char* why, std::size_t size) {
    return module.bfloat16(number_of(name), why, size);
  });
}

template const Backend<float>& device_backend<float>(std::string_view);
template const Backend<double>& device_backend<double>(std::string_view);

std::vector<std::string> device_names(std::string* why) {
  std::vector<std::string> names;
  try {
    const cuda::Module& module = module_of_devices();
    std::array<char, 512> text{};
    const int count = module.count(text.data(), text.size());
    if (why != nullptr) *why = text.data();
    for (int number = 0; number < count; ++number) {
      module.name(number, text.data(), text.size());
      names.emplace_back(text.data());
    }
  } catch (const std::runtime_error& error) {
    if (why != nullptr) *why = error.what();
  }
  return names;
}

}  // namespace lamina
