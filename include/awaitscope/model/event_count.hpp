#pragma once

#include <algorithm>
#include <cstdint>

namespace awaitscope {

/// What perf_event_open(2) counted. A machine has few hardware counters: where more events want them, each has one for a part
/// of the time only.
struct EventCount {
  std::uint64_t counted = 0;
  std::uint64_t enabled_ns = 0; ///< while the threads ran
  std::uint64_t running_ns = 0; ///< of these, with a counter

  EventCount &operator+=(const EventCount &other) {
    counted += other.counted;
    enabled_ns += other.enabled_ns;
    running_ns += other.running_ns;
    return *this;
  }

  /// With what happened without a counter taken to be as with one, as perf-stat(1) does.
  [[nodiscard]] std::uint64_t scaled() const {
    if (running_ns == 0 || running_ns >= enabled_ns) {
      return counted;
    }
    constexpr long double k_most = 9e18L; // a file may say anything
    return static_cast<std::uint64_t>(
        std::min(k_most, static_cast<long double>(counted) * static_cast<long double>(enabled_ns) /
                             static_cast<long double>(running_ns)));
  }

  /// Since an earlier reading of the same counter.
  [[nodiscard]] EventCount since(const EventCount &before) const {
    return {counted - before.counted, enabled_ns - before.enabled_ns, running_ns - before.running_ns};
  }
};

} // namespace awaitscope
