// What was built, what this machine has, and how many threads work.
#include <pybind11/stl.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <numeric>
#include <stdexcept>

#include "backend/device.h"
#include "backend/profile/verb_times.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/team.h"
#include "bindings/bindings.h"
#include "bindings/released.h"
#include "kernels/select.h"

namespace py = pybind11;

namespace lamina {
namespace {

std::string compiler() {
#if defined(__clang__)
  return text("Clang ", __clang_major__, ".", __clang_minor__, ".", __clang_patchlevel__);
#else
  return text("GCC ", __GNUC__, ".", __GNUC_MINOR__, ".", __GNUC_PATCHLEVEL__);
#endif
}

void checked_set_num_threads(std::int64_t n, const char* name) {
  require(n >= 1 && n <= 4096, name, ": expected a number of threads from 1 to 4096, got ", n);
  set_num_threads(static_cast<int>(n));
}

// LAMINA_NUM_THREADS, read when the module is loaded.
void read_environment() {
  const char* asked = std::getenv("LAMINA_NUM_THREADS");
  if (asked == nullptr || *asked == '\0') return;
  char* end = nullptr;
  const long n = std::strtol(asked, &end, 10);
  require(*end == '\0', "LAMINA_NUM_THREADS: expected a number of threads, got ", asked);
  checked_set_num_threads(n, "LAMINA_NUM_THREADS");
}

// tile(i) on each of so many threads, all at the same time where a tile takes much longer than a thread to
// wake.
template <class F>
void on_each_thread(std::int64_t threads, F&& tile) {
  const Released released;
  Lease lease;
  lease.run(threads, tile);
}

double multiply_add(std::int64_t rounds) {
  require(rounds >= 1, "rounds: expected a number from 1, got ", rounds);
  const std::int64_t threads = num_threads();
  Buffer<double> done(threads * padded<double>(1));
  Buffer<float> sinks(threads * padded<float>(1));
  on_each_thread(threads, [&](std::int64_t i) {
    done.data()[i * padded<double>(1)] =
        kernels<float>().peak_multiply_add(rounds, sinks.data() + i * padded<float>(1));
  });
  return std::accumulate(done.data(), done.data() + done.size(), 0.0);
}

// One number passed to and fro between two threads. std::runtime_error where the second one does not come.
void hand_over(std::int64_t rounds) {
  require(rounds >= 1, "rounds: expected a number from 1, got ", rounds);
  require(num_threads() >= 2, "threads: expected 2 or more, got ", num_threads());
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::seconds patience(1);
  constexpr int spins_per_look = 1 << 12;
  alignas(kCacheLine) std::atomic<std::int64_t> turn = 0;
  on_each_thread(2, [&](std::int64_t i) {
    for (std::int64_t mine = i; mine < 2 * rounds; mine += 2) {
      const auto end = Clock::now() + patience;
      for (int spins = 0; turn.load(std::memory_order_acquire) != mine; ++spins)
        if (spins % spins_per_look == spins_per_look - 1 && Clock::now() > end)
          throw std::runtime_error("the second thread did not come");
      turn.store(mine + 1, std::memory_order_release);
    }
  });
}

// A pair of blocks a thread, made before the time is taken.
class CopyBlocks {
 public:
  explicit CopyBlocks(std::int64_t size) : size_(size), threads_(num_threads()) {
    require(size >= 1 && size % 1024 == 0, "size: expected a multiple of 1024, got ", size);
    blocks_ = Buffer<float>(2 * size * threads_);
  }
  void copy(std::int64_t rounds) const {
    require(num_threads() == threads_, "threads: expected ", threads_, " as when the blocks were made, got ",
            num_threads());
    on_each_thread(threads_, [&](std::int64_t i) {
      float* block = blocks_.data() + 2 * size_ * i;
      for (std::int64_t round = 0; round < rounds; ++round)
        kernels<float>().peak_copy(size_, block, block + size_);
    });
  }

 private:
  std::int64_t size_;
  int threads_;
  Buffer<float> blocks_;
};

}  // namespace

void bind_machine(py::module_& m) {
  chosen_isa();  // a wrong LAMINA_ISA is reported when the module is loaded
  read_environment();
  m.def("build_info", [] {
    py::dict info;
    info["version"] = LAMINA_VERSION;
    info["compiler"] = compiler();
    info["build_type"] = LAMINA_BUILD_TYPE;
    info["isa_built"] = built_isas();
    info["isa_available"] = usable_isas();
    info["isa"] = chosen_isa();
#if defined(LAMINA_WITH_CUDA)
    info["cuda"] = true;
#else
    info["cuda"] = false;
#endif
    return info;
  });
  m.def("set_isa", &choose_isa, py::arg("name"));
  m.def("get_num_threads", &num_threads);
  m.def("set_num_threads", [](std::int64_t n) { checked_set_num_threads(n, "n"); }, py::arg("n"));
  m.def("set_device_module", &set_device_module, py::arg("path"));
  m.def(
      "set_device_libraries",
      [](const std::vector<std::string>& folders) {
        std::string joined;
        for (const std::string& folder : folders) joined += (joined.empty() ? "" : ":") + folder;
        set_device_libraries(joined);
      },
      py::arg("folders"));
  m.def("allow_tf32", &allow_tf32, py::arg("allowed"));
  m.def("allows_tf32", &allows_tf32);
  m.def("device_names", [] {
    std::string why;
    const std::vector<std::string> names = device_names(&why);
    return py::make_tuple(names, why);
  });
  m.def("require_device", [](const std::string& name) { device_backend<float>(name); }, py::arg("name"));
  m.def("take_profile", [] {
    py::list verbs;
    for (const VerbTimes::Taken& taken : VerbTimes::take())
      verbs.append(py::make_tuple(taken.verb, taken.calls, taken.seconds));
    return verbs;
  });
  m.def("peak_multiply_add", &multiply_add, py::arg("rounds"));
  m.def("hand_over", &hand_over, py::arg("rounds"));
  py::class_<CopyBlocks>(m, "CopyBlocks")
      .def(py::init<std::int64_t>(), py::arg("size"))
      .def("copy", &CopyBlocks::copy, py::arg("rounds"));
}

}  // namespace lamina
