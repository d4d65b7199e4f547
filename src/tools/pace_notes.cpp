#include "pace_notes.hpp"

#include <utility>

#include <fmt/format.h>

#include "awaitscope/support/units.hpp"

namespace awaitscope::tools {

std::vector<std::string> PaceNotes::take(const SamplingTotals &totals) {
  std::vector<std::string> notes;
  if (totals.slowest_millihertz != 0 && !std::exchange(lowered_told_, true)) {
    notes.push_back(
        fmt::format("{:g} Hz would cost more than {:g} % of a CPU: sampling at {:.3g} Hz, and faster again when "
                    "that costs less",
                    options_.rate_hz, 100 * options_.most_share.value_or(0),
                    static_cast<double>(totals.slowest_millihertz) / 1000));
  }
  const std::uint64_t late = totals.lost_for(Loss::late);
  if (late_.notice(totals.elapsed_ns, totals.ticks, late)) {
    notes.push_back(
        fmt::format("the machine does not hold {:g} Hz: {} of {} ticks came too late and are lost; give it a "
                    "lower rate (-r), or --max-overhead",
                    options_.rate_hz, with_thousands(late), with_thousands(late + totals.ticks)));
  }
  return notes;
}

} // namespace awaitscope::tools
