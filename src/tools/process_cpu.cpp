#include "process_cpu.hpp"

#include "awaitscope/support/clock.hpp"

namespace awaitscope::tools {

ProcessCpu::ProcessCpu(ThreadId pid) {
  clockid_t clock{};
  if (::clock_getcpuclockid(pid, &clock) == 0) {
    clock_ = clock;
  }
  start_ = now();
}

std::optional<std::uint64_t> ProcessCpu::now() const {
  timespec time{};
  if (!clock_ || ::clock_gettime(*clock_, &time) != 0) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(time.tv_sec) * k_ns_per_second + static_cast<std::uint64_t>(time.tv_nsec);
}

std::optional<std::uint64_t> ProcessCpu::used() {
  const std::optional<std::uint64_t> current = now();
  if (start_ && current && *current >= *start_) {
    used_ = *current - *start_;
  }
  return used_;
}

} // namespace awaitscope::tools
