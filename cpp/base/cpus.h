// What the machine lends this process: processors and instruction sets.
#pragma once

#include <string>
#include <vector>

namespace lamina {

// Processors this process may use: its affinity mask, further limited by a cgroup's quota; at least 1.
int available_cpus();

// Instruction sets this machine can run, narrowest first: "baseline", then "avx2" and "avx512" where present.
std::vector<std::string> machine_isas();

}  // namespace lamina
