#include "awaitscope/process/task_clock.hpp"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace awaitscope {

std::optional<TaskClock> TaskClock::open(ThreadId tid) {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_TASK_CLOCK;
  // Time of the kernel's own is counted all the same (perf_swevent_event() asks, task_clock_event_update() does not), and
  // without this kernel.perf_event_paranoid 2, the default, would forbid it.
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  constexpr int k_any_cpu = -1;
  constexpr int k_no_group = -1;
  UniqueFd fd(
      static_cast<int>(::syscall(SYS_perf_event_open, &attributes, tid, k_any_cpu, k_no_group, PERF_FLAG_FD_CLOEXEC)));
  return fd.valid() ? std::optional(TaskClock(std::move(fd))) : std::nullopt;
}

std::optional<std::uint64_t> TaskClock::read() const {
  std::uint64_t nanoseconds = 0;
  return ::read(fd_.get(), &nanoseconds, sizeof nanoseconds) == sizeof nanoseconds ? std::optional(nanoseconds)
                                                                                   : std::nullopt;
}

} // namespace awaitscope
