#include "backend/cuda/cublas.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"

namespace lamina::cuda {
namespace {

// As cublas_api.h and library_types.h have them, whose interface is the same from version 11 on.
using Handle = void*;
using Stream = void*;
enum Operation { kAsItLies = 0, kTransposed = 1 };
enum Mode { kDefault = 0, kTf32 = 3 };
enum Kind { kFloats = 0, kHalfFloats = 14 };
enum Arithmetic { kInFloats = 68 };
enum Algorithm { kItsChoice = -1 };
template <class T>
using Gemm = int (*)(Handle, int transposes_a, int transposes_b, int m, int n, int k, const T* alpha,
                     const T* a, int lda, const T* b, int ldb, const T* beta, T* c, int ldc);
using MixedGemm = int (*)(Handle, int transposes_a, int transposes_b, int m, int n, int k, const void* alpha,
                          const void* a, int a_kind, int lda, const void* b, int b_kind, int ldb,
                          const void* beta, void* c, int c_kind, int ldc, int arithmetic, int algorithm);

#if defined(__CUDACC__)
constexpr int kMajor = CUDART_VERSION / 1000;  // the library that goes with this run-time
#else
constexpr int kMajor = 13;
#endif

struct Library {
  std::string path;  // empty: there is none
  int (*create)(Handle*) = nullptr;
  int (*set_stream)(Handle, Stream) = nullptr;
  int (*set_workspace)(Handle, void*, std::size_t) = nullptr;
  int (*set_mode)(Handle, int) = nullptr;
  Gemm<float> of_floats = nullptr;
  Gemm<double> of_doubles = nullptr;
  MixedGemm of_kinds = nullptr;

  bool open(const std::string& file) {
    void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return false;
    const auto find = [&](auto& function, const char* name) {
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
      return function != nullptr;
    };
    if (find(create, "cublasCreate_v2") && find(set_stream, "cublasSetStream_v2") &&
        find(set_workspace, "cublasSetWorkspace_v2") && find(set_mode, "cublasSetMathMode") &&
        find(of_floats, "cublasSgemm_v2") && find(of_doubles, "cublasDgemm_v2") &&
        find(of_kinds, "cublasGemmEx"))
      path = file;
    else
      dlclose(library);
    return !path.empty();
  }
};

std::mutex& mutex() {
  static std::mutex kept;
  return kept;
}
std::string& folders() {
  static auto* const kept = new std::string;
  return *kept;
}
std::atomic<bool>& tf32() {
  static std::atomic<bool> kept{false};
  return kept;
}

Library found_library() {
  Library library;
  if (const char* const named = std::getenv("LAMINA_CUBLAS"); named != nullptr && *named != '\0') {
    if (std::string(named) != "off" && !library.open(named)) {
      const char* const why = dlerror();
      throw std::runtime_error(text("LAMINA_CUBLAS: expected 'off' or the path of libcublas.so.", kMajor,
                                    ", got ", named, why != nullptr ? text(" (", why, ")") : ""));
    }
    return library;
  }
  const std::string file = text("libcublas.so.", kMajor);
  std::vector<std::string> places;
  for (std::size_t first = 0, end; first < folders().size(); first = end + 1) {
    end = std::min(folders().find(':', first), folders().size());
    places.push_back(folders().substr(first, end - first) + "/" + file);
  }
  for (const char* name : {"CUDA_HOME", "CUDA_PATH"})
    if (const char* const folder = std::getenv(name); folder != nullptr)
      places.push_back(text(folder, "/lib64/", file));
  places.push_back(file);  // where the loader looks
  places.push_back("/usr/local/cuda/lib64/" + file);
  for (const std::string& place : places)
    if (library.open(place)) break;
  return library;
}

const Library& library() {
  static std::atomic<const Library*> kept{nullptr};
  const Library* known = kept.load(std::memory_order_acquire);
  if (known != nullptr) return *known;
  const std::lock_guard lock(mutex());
  if (kept.load() == nullptr) kept.store(new Library(found_library()));
  return *kept.load();
}

void require_taken(int status, const char* what) {
  if (status != 0) throw std::runtime_error(text("the GPU: cuBLAS: ", what, ": status ", status));
}

// A handle with memory of its own, so that its results do not depend on what other threads compute.
struct Kept {
  Handle handle = nullptr;
  Buffer<unsigned char> workspace;
};

// Those of a thread, one for each device. They are never destroyed, as a thread's end may come after the
// driver's, but go to the next thread.
class OfThread {
 public:
  Handle on(const Device& device, Stream stream) {
    Kept*& kept = kept_[static_cast<std::size_t>(device.number())];
    if (kept == nullptr) {
      const std::lock_guard lock(mutex());
      std::vector<Kept*>& idle = all_idle()[static_cast<std::size_t>(device.number())];
      if (!idle.empty()) {
        kept = idle.back();
        idle.pop_back();
      }
    }
    if (kept == nullptr) kept = made(device, stream).release();
    return kept->handle;
  }
  ~OfThread() {
    const std::lock_guard lock(mutex());
    for (std::size_t number = 0; number < kept_.size(); ++number)
      if (kept_[number] != nullptr) all_idle()[number].push_back(kept_[number]);
  }

 private:
  using Idle = std::array<std::vector<Kept*>, kMostDevices>;
  static Idle& all_idle() {
    static auto* const kept = new Idle;
    return *kept;
  }
  static std::unique_ptr<Kept> made(const Device& device, Stream stream) {
    constexpr std::int64_t room = 32 << 20;  // as NVIDIA advises for Hopper
    auto made = std::make_unique<Kept>();
    made->workspace = Buffer<unsigned char>(room, device.memory());
    require_taken(library().create(&made->handle), "it did not start");
    require_taken(library().set_stream(made->handle, stream), "it did not take the queue");
    require_taken(library().set_workspace(made->handle, made->workspace.data(), room),
                  "it did not take its memory");
    return made;
  }

  std::array<Kept*, kMostDevices> kept_{};
};

Handle handle_of(const Device& device, Stream stream) {
  thread_local OfThread own;
  return own.on(device, stream);
}

// The library's function for factors of this type, whose factors and what they become are arguments.
template <class T>
int call(Handle handle, int transposes_a, int transposes_b, int m, int n, int k, const T* a, int lda,
         const T* b, int ldb, typename Added<T>::Type* c, int ldc) {
  const typename Added<T>::Type one = 1, zero = 0;
  if constexpr (std::is_same_v<T, float>)
    return library().of_floats(handle, transposes_a, transposes_b, m, n, k, &one, a, lda, b, ldb, &zero, c,
                               ldc);
  else if constexpr (std::is_same_v<T, double>)
    return library().of_doubles(handle, transposes_a, transposes_b, m, n, k, &one, a, lda, b, ldb, &zero, c,
                                ldc);
  else
    return library().of_kinds(handle, transposes_a, transposes_b, m, n, k, &one, a, kHalfFloats, lda, b,
                              kHalfFloats, ldb, &zero, c, kFloats, ldc, kInFloats, kItsChoice);
}

// A factor as the library has it, whose matrices lie column by column: the transposed one of ours.
struct Factor {
  Operation operation;
  std::int64_t stride;
  bool fits;
};

// Ours is rows by cols.
template <class T>
Factor factor(const Strided<T>& of, std::int64_t rows, std::int64_t cols) {
  if (of.col == 1) return {kAsItLies, of.row, of.row >= cols};
  return {kTransposed, of.col, of.row == 1 && of.col >= rows};
}

// C's transposed one is that of B, here the left one, times that of A.
template <class T>
struct LibraryProduct {
  const Device* device;
  const T *left, *right;
  typename Added<T>::Type* c;
  std::int64_t m, n, k, left_stride, right_stride, stride, left_operation, right_operation, mode;

  void operator()(Stream stream) const {
    const Handle handle = handle_of(*device, stream);
    const auto number = [](std::int64_t size) { return static_cast<int>(size); };
    require_taken(library().set_mode(handle, number(mode)), "it did not take the kind of arithmetic");
    require_taken(
        call<T>(handle, number(left_operation), number(right_operation), number(m), number(n), number(k),
                left, number(left_stride), right, number(right_stride), c, number(stride)),
        "a product");
  }
};

}  // namespace

void set_library_folders(std::string given) {
  const std::lock_guard lock(mutex());
  folders() = std::move(given);
}

std::string library_path() { return library().path; }
bool has_library() { return !library().path.empty(); }

void allow_tf32(bool allowed) { tf32().store(allowed); }
bool allows_tf32() { return tf32().load(); }

template <class T>
bool multiply_by_library(const Device& device, Strided<T> a, Strided<T> b, std::int64_t rows,
                         std::int64_t cols, std::int64_t depth, typename Added<T>::Type* c,
                         std::int64_t stride) {
  const Factor left = factor(b, depth, cols), right = factor(a, rows, depth);
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  for (const std::int64_t size : {rows, cols, depth, left.stride, right.stride, stride})
    if (size > most) return false;
  if (!left.fits || !right.fits || !has_library()) return false;
  const std::int64_t mode = std::is_same_v<T, float> && allows_tf32() ? kTf32 : kDefault;
  device.call_library(LibraryProduct<T>{&device, b.data, a.data, c, cols, rows, depth, left.stride,
                                        right.stride, stride, left.operation, right.operation, mode});
  return true;
}

template bool multiply_by_library<float>(const Device&, Strided<float>, Strided<float>, std::int64_t,
                                         std::int64_t, std::int64_t, float*, std::int64_t);
template bool multiply_by_library<double>(const Device&, Strided<double>, Strided<double>, std::int64_t,
                                          std::int64_t, std::int64_t, double*, std::int64_t);
template bool multiply_by_library<HalfFloat>(const Device&, Strided<HalfFloat>, Strided<HalfFloat>,
                                             std::int64_t, std::int64_t, std::int64_t, float*, std::int64_t);

}  // namespace lamina::cuda
