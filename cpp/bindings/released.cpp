#include "bindings/released.h"

#include <atomic>
#include <stdexcept>

namespace lamina {
namespace {

std::atomic<int> g_inside{0};
std::atomic<bool> g_closing{false};

void close() {
  g_closing.store(true);
  const py::gil_scoped_release release;  // those inside need it to come back
  for (int inside; (inside = g_inside.load()) != 0;) g_inside.wait(inside);
}

}  // namespace

void throw_if_closing() {
  if (g_closing.load(std::memory_order_relaxed)) throw std::runtime_error("the interpreter is shutting down");
}

Inside::Inside() {
  g_inside.fetch_add(1);
  if (!g_closing.load()) return;
  g_inside.fetch_sub(1);
  throw_if_closing();
}

Inside::~Inside() {
  g_inside.fetch_sub(1);
  g_inside.notify_all();
}

void bind_exit(py::module_&) {
  py::module_::import("atexit").attr("register")(py::cpp_function(&close));
  // A forked child has only the thread that forked, which is not inside.
  py::module_::import("os").attr("register_at_fork")(py::arg("after_in_child") =
                                                         py::cpp_function([] { g_inside.store(0); }));
}

}  // namespace lamina
