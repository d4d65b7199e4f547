#include "awaitscope/process/process_clock.hpp"

#include "awaitscope/support/clock.hpp"

namespace awaitscope {

ProcessClock::ProcessClock(ThreadId pid) {
  clockid_t clock{};
  if (::clock_getcpuclockid(pid, &clock) == 0) {
    clock_ = clock;
  }
}

std::optional<std::uint64_t> ProcessClock::now() const {
  timespec time{};
  if (!clock_ || ::clock_gettime(*clock_, &time) != 0) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(time.tv_sec) * k_ns_per_second + static_cast<std::uint64_t>(time.tv_nsec);
}

} // namespace awaitscope
