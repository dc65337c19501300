#include "kernels/select.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "base/cpus.h"
#include "kernels/bfloat16_isa.h"
#include "kernels/isa.h"
#include "kernels/normalisation_isa.h"

namespace lamina {
namespace {

struct Isa {
  const char* name;
  const KernelTable<float>* table_float;
  const KernelTable<double>* table_double;
  const NormalisationTable<float>* normalisation_float;
  const NormalisationTable<double>* normalisation_double;
  const Bfloat16Table* table_bfloat16;
};

constexpr Isa kIsas[] = {
    {"baseline", &baseline::table_float, &baseline::table_double, &baseline::normalisation_float,
     &baseline::normalisation_double, &baseline::table_bfloat16},
#ifdef LAMINA_HAS_X86_ISAS
    {"avx2", &avx2::table_float, &avx2::table_double, &avx2::normalisation_float, &avx2::normalisation_double,
     &avx2::table_bfloat16},
    {"avx512", &avx512::table_float, &avx512::table_double, &avx512::normalisation_float,
     &avx512::normalisation_double, &avx512::table_bfloat16},
#endif
#ifdef LAMINA_HAS_BFLOAT16_ISAS  // they widen nothing but bfloat16
    {"avx512_bf16", &avx512::table_float, &avx512::table_double, &avx512::normalisation_float,
     &avx512::normalisation_double, &avx512_bf16::table_bfloat16},
    {"amx", &avx512::table_float, &avx512::table_double, &avx512::normalisation_float,
     &avx512::normalisation_double, &amx::table_bfloat16},
#endif
};

std::string listed(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

const Isa& usable(const std::string& name, const char* source) {
  const auto usable_names = usable_isas();
  require(std::find(usable_names.begin(), usable_names.end(), name) != usable_names.end(), source,
          ": expected one of this machine's instruction sets (", listed(usable_names), "), got ", name);
  return *std::find_if(std::begin(kIsas), std::end(kIsas), [&](const Isa& isa) { return name == isa.name; });
}

const Isa& first_choice() {
  const char* asked = std::getenv("LAMINA_ISA");
  return asked != nullptr && *asked != '\0' ? usable(asked, "LAMINA_ISA")
                                            : usable(usable_isas().back(), "isa");
}

std::atomic<const Isa*>& choice() {
  static std::atomic<const Isa*> chosen{&first_choice()};
  return chosen;
}

}  // namespace

std::vector<std::string> built_isas() {
  std::vector<std::string> names;
  for (const Isa& isa : kIsas) names.emplace_back(isa.name);
  return names;
}

std::vector<std::string> usable_isas() {
  const auto machine = machine_isas();
  std::vector<std::string> names;
  for (const auto& name : built_isas())
    if (std::find(machine.begin(), machine.end(), name) != machine.end()) names.push_back(name);
  return names;
}

std::string chosen_isa() { return choice().load()->name; }

void choose_isa(const std::string& name) { choice().store(&usable(name, "isa")); }

template <>
const KernelTable<float>& kernels<float>() {
  return *choice().load(std::memory_order_relaxed)->table_float;
}
template <>
const KernelTable<double>& kernels<double>() {
  return *choice().load(std::memory_order_relaxed)->table_double;
}

template <>
const NormalisationTable<float>& normalisation_kernels<float>() {
  return *choice().load(std::memory_order_relaxed)->normalisation_float;
}
template <>
const NormalisationTable<double>& normalisation_kernels<double>() {
  return *choice().load(std::memory_order_relaxed)->normalisation_double;
}

const Bfloat16Table& bfloat16_kernels() {
  const Bfloat16Table* table = choice().load(std::memory_order_relaxed)->table_bfloat16;
#ifdef LAMINA_HAS_BFLOAT16_ISAS
  if (table == &amx::table_bfloat16 && !may_use_amx()) table = &avx512_bf16::table_bfloat16;
#endif
  return *table;
}

}  // namespace lamina
