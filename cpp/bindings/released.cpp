#include "bindings/released.h"

#include <atomic>
#include <stdexcept>

namespace lamina {
namespace {

std::atomic<int> g_inside{0};
std::atomic<bool> g_closing{false};
thread_local int t_depth = 0;  // of this thread's stays: a signal handler may run Python inside one

void enter() {
  g_inside.fetch_add(1);
  ++t_depth;
}

void leave() {
  --t_depth;
  g_inside.fetch_sub(1);
  g_inside.notify_all();
}

// Exit hooks that were registered before Lamina was imported run after this one and can use it no more.
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
  enter();
  if (!g_closing.load()) return;
  leave();
  throw_if_closing();
}

Inside::~Inside() { leave(); }

void bind_exit(py::module_&) {
  py::module_::import("atexit").attr("register")(py::cpp_function(&close));
  // A forked child has only the thread that forked.
  py::module_::import("os").attr("register_at_fork")(py::arg("after_in_child") =
                                                         py::cpp_function([] { g_inside.store(t_depth); }));
}

}  // namespace lamina
