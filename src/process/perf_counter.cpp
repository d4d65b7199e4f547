#include "awaitscope/process/perf_counter.hpp"

#include <array>
#include <cerrno>

#include <sys/syscall.h>
#include <unistd.h>

namespace awaitscope {

tl::expected<PerfCounter, int> PerfCounter::open(const PerfEvent &event, ThreadId tid, Inherit inherit) {
  perf_event_attr attributes = event.attributes;
  attributes.size = sizeof attributes;
  attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  if (inherit == Inherit::threads) {
    attributes.inherit = attributes.inherit_thread = 1;
  }
  constexpr int k_any_cpu = -1;
  constexpr int k_no_group = -1;
  UniqueFd fd(
      static_cast<int>(::syscall(SYS_perf_event_open, &attributes, tid, k_any_cpu, k_no_group, PERF_FLAG_FD_CLOEXEC)));
  if (!fd.valid()) {
    return tl::unexpected(errno);
  }
  return PerfCounter(std::move(fd));
}

std::optional<EventCount> PerfCounter::read() const {
  std::array<std::uint64_t, 3> values{};
  if (::read(fd_.get(), values.data(), sizeof values) != sizeof values) {
    return std::nullopt;
  }
  return EventCount{values[0], values[1], values[2]};
}

} // namespace awaitscope
