#include "backend/cuda/module.h"

#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <string>

#include "backend/cuda/bfloat16.h"
#include "backend/cuda/cublas.h"
#include "backend/cuda/cuda.h"

namespace lamina {
namespace {

void put(const std::string& text, char* out, std::size_t size) {
  if (size == 0) return;
  const std::size_t length = text.size() < size ? text.size() : size - 1;
  std::memcpy(out, text.data(), length);
  out[length] = '\0';
}

// Nothing may be thrown into the core but what verbs throw.
int count(char* why, std::size_t size) {
  try {
    std::string missing;
    const std::size_t devices = cuda::device_names(&missing).size();
    put(missing, why, size);
    return static_cast<int>(devices);
  } catch (const std::exception& error) {
    put(error.what(), why, size);
    return 0;
  }
}

void name(int number, char* out, std::size_t size) {
  put("", out, size);
  try {
    std::string why;
    put(cuda::device_names(&why).at(static_cast<std::size_t>(number)), out, size);
  } catch (const std::exception&) {  // it is gone since it was counted: without a name
  }
}

// The one of a kind and number, as what the core takes it for.
template <class Given, class Kind>
const void* kept(int number) {
  static std::mutex mutex;
  static auto* const all = new std::map<int, const Given*>;
  const std::lock_guard lock(mutex);
  const Given*& one = (*all)[number];
  if (one == nullptr) one = new Kind(number);
  return one;
}

template <class Ask>
const void* found(char* why, std::size_t size, Ask&& ask) {
  try {
    return ask();
  } catch (const std::exception& error) {
    put(error.what(), why, size);
    return nullptr;
  }
}

const void* backend(int number, int bytes, char* why, std::size_t size) {
  return found(why, size, [=] {
    return bytes == 4 ? kept<Backend<float>, CudaBackend<float>>(number)
                      : kept<Backend<double>, CudaBackend<double>>(number);
  });
}

const void* bfloat16(int number, char* why, std::size_t size) {
  return found(why, size, [=] { return kept<Bfloat16Backend, CudaBfloat16>(number); });
}

void set_library_folders(const char* folders) {
  try {
    cuda::set_library_folders(folders);
  } catch (const std::exception&) {  // no memory for their names: it is not found there
  }
}

void allow_tf32(int allowed) { cuda::allow_tf32(allowed != 0); }

constexpr cuda::Module kModule{cuda::kInterface, LAMINA_VERSION,       "cuda",     &count, &name, &backend,
                               &bfloat16,        &set_library_folders, &allow_tf32};

}  // namespace
}  // namespace lamina

extern "C" __attribute__((visibility("default"))) const lamina::cuda::Module* lamina_cuda_module() {
  return &lamina::kModule;
}
