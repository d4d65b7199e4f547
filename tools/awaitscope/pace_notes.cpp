#include "pace_notes.hpp"

#include <utility>

#include <fmt/format.h>

#include "awaitscope/support/units.hpp"

namespace awaitscope::tools {

std::vector<std::string> PaceNotes::take(const SamplingTotals &totals) {
  std::vector<std::string> notes;
  if (totals.slowest_millihertz != 0 && !std::exchange(lowered_noted_, true)) {
    const std::string cost =
        options_.most_share
            ? fmt::format("cost more than {:g} % of a CPU", 100 * *options_.most_share)
            : fmt::format("keep threads from running for more than {:g} % of the time", 100 * options_.most_delay);
    notes.push_back(fmt::format("{:g} Hz would {}: sampling at {:.3g} Hz, and faster again when that costs less{}",
                                options_.rate_hz, cost, static_cast<double>(totals.slowest_millihertz) / 1000,
                                options_.most_share ? "" : " (--max-overhead 0 keeps the rate)"));
  }
  if (late_.notice(totals.elapsed_ns, totals.ticks, totals.lost_for(Loss::late))) {
    missed_noted_ = true;
    notes.push_back(fmt::format("warning: cannot keep up with {:g} Hz, and misses samples; use a lower rate (-r), or "
                                "--max-overhead",
                                options_.rate_hz));
  }
  return notes;
}

std::string PaceNotes::finish(const SamplingTotals &totals) const {
  const std::uint64_t late = totals.lost_for(Loss::late);
  if (!missed_noted_ && !is_much_missed(totals.ticks, late)) {
    return {};
  }
  return fmt::format("warning: cannot keep up with {:g} Hz: {} of {} ticks missed", options_.rate_hz,
                     with_thousands(late), with_thousands(late + totals.ticks));
}

} // namespace awaitscope::tools
