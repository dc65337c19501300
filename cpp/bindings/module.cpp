// lamina._core: the table of contents.
#include "bindings/bindings.h"
#include "bindings/released.h"

PYBIND11_MODULE(_core, m) {
  m.doc() = "The compiled core of Lamina. Its types stand in _core/*.pyi.";
  m.attr("__version__") = LAMINA_VERSION;
  lamina::bind_exit(m);
  lamina::bind_machine(m);
  lamina::bind_random(m);
  lamina::bind_dataset(m);
  lamina::bind_networks(m);
  lamina::bind_schedules(m);
  lamina::bind_optimizers(m);
  lamina::bind_epochs(m);
  lamina::bind_trainers(m);
  lamina::bind_ops(m);
}
