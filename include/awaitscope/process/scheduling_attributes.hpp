#pragma once

#include <cstdint>

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace awaitscope {

/// struct sched_attr of <linux/sched/types.h>, SCHED_ATTR_SIZE_VER0 (glibc before 2.41 declares none).
struct SchedulingAttributes {
  std::uint32_t size = 48;
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0; ///< for SCHED_OTHER since 6.12: the slice; 0: the usual one
  std::uint64_t deadline_ns = 0;
  std::uint64_t period_ns = 0;
};
static_assert(sizeof(SchedulingAttributes) == 48);

/// Of the calling thread; the defaults if the kernel does not say.
inline SchedulingAttributes own_scheduling() {
  SchedulingAttributes attributes;
  return ::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) == 0 ? attributes : SchedulingAttributes{};
}

/// Of the calling thread. False if the system does not allow it. Async-signal-safe.
inline bool set_own_scheduling(const SchedulingAttributes &attributes) {
  return ::syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

} // namespace awaitscope
