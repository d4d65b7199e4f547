#pragma once

#include <cstdint>
#include <ctime>

namespace awaitscope {

/// CLOCK_MONOTONIC in nanoseconds.
inline std::int64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

/// CPU time of all threads of this process, those that ended included, by the scheduler's account.
inline std::int64_t own_cpu_ns() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<std::int64_t>(used.tv_sec) * 1'000'000'000 + used.tv_nsec;
}

/// CPU time of the calling thread.
inline std::int64_t thread_cpu_ns() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<std::int64_t>(used.tv_sec) * 1'000'000'000 + used.tv_nsec;
}

inline constexpr std::int64_t k_ns_per_second = 1'000'000'000;

} // namespace awaitscope
