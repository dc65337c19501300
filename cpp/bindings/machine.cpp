// What was built, what this machine has, and how many threads work.
#include <pybind11/stl.h>

#include <cstdlib>

#include "backend/cpu/blas.h"
#include "base/error.h"
#include "base/team.h"
#include "bindings/bindings.h"
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

}  // namespace

void bind_machine(py::module_& m) {
  chosen_isa();  // a wrong LAMINA_ISA is reported when the module is loaded
  read_environment();
  m.def("build_info", [] {
    py::dict info;
    info["version"] = LAMINA_VERSION;
    info["compiler"] = compiler();
    info["build_type"] = LAMINA_BUILD_TYPE;
    info["blas"] = blas::version();
    info["blas_core"] = blas::core_name();
    info["isa_built"] = built_isas();
    info["isa_available"] = usable_isas();
    info["isa"] = chosen_isa();
    info["cuda"] = false;
    return info;
  });
  m.def("set_isa", &choose_isa, py::arg("name"));
  m.def("get_num_threads", &num_threads);
  m.def("set_num_threads", [](std::int64_t n) { checked_set_num_threads(n, "n"); }, py::arg("n"));
}

}  // namespace lamina
