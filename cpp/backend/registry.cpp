#include "backend/backend.h"
#include "backend/bfloat16.h"
#include "backend/cpu/bfloat16.h"
#include "backend/cpu/cpu.h"
#include "backend/device.h"
#include "backend/profile/profile.h"
#include "backend/reference/bfloat16.h"
#include "backend/reference/reference.h"

namespace lamina {

template <class T>
const Backend<T>& backend_named(std::string_view name) {
  static const CpuBackend<T> cpu;
  static const ProfiledBackend<T> profile(cpu);
  static const ReferenceBackend<T> reference;
  if (name == cpu.name()) return cpu;
  if (name == profile.name()) return profile;
  if (name == reference.name()) return reference;
  if (names_device(name)) return device_backend<T>(name);
  throw std::invalid_argument(text("backend: expected cpu, profile or reference, got ", name));
}

template const Backend<float>& backend_named<float>(std::string_view);
template const Backend<double>& backend_named<double>(std::string_view);

const Bfloat16Backend& bfloat16_backend_named(std::string_view name) {
  static const CpuBfloat16 cpu;
  static const ReferenceBfloat16 reference;
  if (names_device(name)) return device_bfloat16(name);
  // "profile" computes as "cpu" does; these verbs are not timed.
  return &backend_named<float>(name) == &backend_named<float>("reference")
             ? static_cast<const Bfloat16Backend&>(reference)
             : static_cast<const Bfloat16Backend&>(cpu);
}

}  // namespace lamina
