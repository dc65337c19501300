// How often each verb was called and how long it took, over all models of the process.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace lamina {

class VerbTimes {
 public:
  // The entry of this name, made when it is first asked for; it lives as long as the process.
  static VerbTimes& of(const char* verb);

  struct Taken {
    std::string verb;
    std::int64_t calls;
    double seconds;
  };
  // What has come together since the last time, verbs without calls left out; then all begin at zero.
  static std::vector<Taken> take();

  explicit VerbTimes(const char* verb) : verb_(verb) {}

  // Adds a call, from its making to its end.
  class Call {
   public:
    explicit Call(VerbTimes& times) : times_(times) {}
    ~Call() {
      const auto taken = std::chrono::steady_clock::now() - start_;
      times_.nanoseconds_.fetch_add(std::chrono::duration_cast<std::chrono::nanoseconds>(taken).count(),
                                    std::memory_order_relaxed);
      times_.calls_.fetch_add(1, std::memory_order_relaxed);
    }
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    VerbTimes& times_;
    const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  };

 private:
  const char* verb_;
  std::atomic<std::int64_t> calls_{0};
  std::atomic<std::int64_t> nanoseconds_{0};
};

}  // namespace lamina
