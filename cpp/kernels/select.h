// Which instruction set's kernels serve: the widest that this machine runs, or the one that was asked for.
#pragma once

#include <string>
#include <vector>

#include "kernels/bfloat16_table.h"
#include "kernels/normalisation_table.h"
#include "kernels/table.h"

namespace lamina {

// Sets this library was built with; of those, the ones this machine runs; narrowest first.
std::vector<std::string> built_isas();
std::vector<std::string> usable_isas();

std::string chosen_isa();
// std::invalid_argument where the library or the machine lacks it.
void choose_isa(const std::string& name);

// The chosen set's kernels.
template <class T>
const KernelTable<T>& kernels();

// Its kernels of normalising layers and of noise.
template <class T>
const NormalisationTable<T>& normalisation_kernels();

// Its kernels for bfloat16; those of "avx512_bf16" where the system refuses AMX to this process.
const Bfloat16Table& bfloat16_kernels();

}  // namespace lamina
