#include "base/cpus.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <sstream>

#include <unistd.h>

#ifdef __linux__
#include <sched.h>
#endif

#if defined(__linux__) && defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
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

#if defined(__x86_64__)
#ifdef __linux__
// Of arch_prctl: which register sets the system lends, and the request for one of them.
constexpr int kSupportedStates = 0x1021, kRequestState = 0x1023;
constexpr unsigned long kTileData = 18;

bool has_amx() {
  constexpr unsigned bfloat16 = 1u << 22, tiles = 1u << 24;  // of leaf 7's edx
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (edx & bfloat16) == 0 || (edx & tiles) == 0)
    return false;
  std::uint32_t low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr std::uint32_t saved = 3u << 17;  // the tiles' shapes and the tiles
  if ((low & saved) != saved) return false;
  unsigned long states = 0;
  return syscall(SYS_arch_prctl, kSupportedStates, &states) == 0 && (states >> kTileData & 1) != 0;
}
#else
bool has_amx() { return false; }
#endif
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
  if (isas.back() == "avx512" && __builtin_cpu_supports("avx512bf16")) isas.emplace_back("avx512_bf16");
  if (isas.back() == "avx512_bf16" && has_amx()) isas.emplace_back("amx");
#endif
  return isas;
}

#if defined(__linux__) && defined(__x86_64__)
bool may_use_amx() {
  static const bool granted = syscall(SYS_arch_prctl, kRequestState, kTileData) == 0;
  return granted;
}
#else
bool may_use_amx() { return false; }
#endif

}  // namespace lamina
