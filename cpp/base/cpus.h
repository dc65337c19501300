// What the machine lends this process: processors and instruction sets.
#pragma once

#include <string>
#include <vector>

namespace lamina {

// Processors this process may use: its affinity mask, further limited by a cgroup's quota; at least 1.
int available_cpus();

// Instruction sets this machine can run, narrowest first: "baseline", then "avx2", "avx512", "avx512_bf16"
// and "amx" where present, each only with those before it.
std::vector<std::string> machine_isas();

// Asks the system once for the process's right to use AMX's tiles, which it may refuse. Not asked before they
// are needed: from then on a thread's signal stack must be larger.
bool may_use_amx();

}  // namespace lamina
