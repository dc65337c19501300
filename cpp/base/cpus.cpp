#include "base/cpus.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include <unistd.h>

#ifdef __linux__
#include <sched.h>
#endif

namespace lamina {
namespace {

int affinity_cpus() {
#ifdef __linux__
  // A mask sized for 1,024 processors is refused on larger machines, so it grows until the kernel accepts it.
  for (int cpus = 1024; cpus <= 1 << 20; cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(cpus);
    if (set == nullptr) break;
    const size_t bytes = CPU_ALLOC_SIZE(cpus);
    const bool known = sched_getaffinity(0, bytes, set) == 0;
    const int count = known ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (known) return count;
  }
#endif
  return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
}

#ifdef __linux__
// The path of this process's cgroup for one controller ("" is version 2) as /proc/self/cgroup gives it.
std::string cgroup_path(const std::string& controller) {
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    std::string id, controllers, path;
    std::getline(fields, id, ':');
    std::getline(fields, controllers, ':');
    std::getline(fields, path);
    if (controllers == controller ||
        (!controller.empty() && ("," + controllers + ",").find("," + controller + ",") != std::string::npos))
      return path;
  }
  return "";
}

double quota_of_v2(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return INFINITY;
  return std::strtod(quota.c_str(), nullptr) / period;
}

double quota_of_v1(const std::string& folder) {
  double quota = -1, period = 0;
  std::ifstream(folder + "/cpu.cfs_quota_us") >> quota;
  std::ifstream(folder + "/cpu.cfs_period_us") >> period;
  return quota > 0 && period > 0 ? quota / period : INFINITY;
}

// The tightest quota from the process's own group up to the root, in processors.
double cgroup_cpus() {
  double least = INFINITY;
  const auto walk = [&least](const std::string& root, std::string path, double (*quota)(const std::string&)) {
    for (;;) {
      least = std::min(least, quota(root + path));
      if (path.empty() || path == "/") break;
      path.erase(path.find_last_of('/'));
    }
  };
  walk("/sys/fs/cgroup", cgroup_path(""), quota_of_v2);
  walk("/sys/fs/cgroup/cpu", cgroup_path("cpu"), quota_of_v1);
  return least;
}
#else
double cgroup_cpus() { return INFINITY; }
#endif

}  // namespace

int available_cpus() {
  const double quota = cgroup_cpus();
  int count = affinity_cpus();
  if (std::isfinite(quota)) count = std::min(count, static_cast<int>(std::ceil(quota)));
  return std::max(count, 1);
}

std::vector<std::string> machine_isas() {
  std::vector<std::string> isas{"baseline"};
#if defined(__x86_64__)
  __builtin_cpu_init();  // also asks whether the operating system saves the wide registers
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx2) isas.emplace_back("avx2");
  if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    isas.emplace_back("avx512");
#endif
  return isas;
}

}  // namespace lamina
