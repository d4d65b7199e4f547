#include "awaitscope/report/sampling_quality.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "awaitscope/support/units.hpp"

namespace awaitscope {

double lost_percent(const SamplingTotals &totals, std::uint64_t samples) {
  const auto part = [](std::uint64_t lost, std::uint64_t kept) {
    return lost == 0 ? 0 : static_cast<double>(lost) / static_cast<double>(lost + kept);
  };
  const std::uint64_t late = totals.lost_for(Loss::late); // ticks: in each, there may be many samples or none
  const std::uint64_t others = std::accumulate(totals.lost.begin(), totals.lost.end(), std::uint64_t{0}) - late;
  return 100 * (1 - (1 - part(late, totals.ticks)) * (1 - part(others, samples)));
}

double slowdown_percent(const SamplingTotals &totals) {
  const double had = std::max(static_cast<double>(totals.elapsed_ns),
                              static_cast<double>(totals.process_cpu_ns.value_or(0))); // of several threads at once
  const auto held = static_cast<double>(totals.read_ns + totals.task_look_ns);
  return had <= 0 ? 0 : std::min(100.0, 100 * held / had);
}

std::string losses(const SamplingTotals &totals) {
  std::string text;
  for (std::size_t i = 0; i < totals.lost.size(); ++i) {
    if (totals.lost[i] > 0) {
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", with_thousands(totals.lost[i]),
                          name_of(static_cast<Loss>(i)));
    }
  }
  return text.empty() ? "none" : text;
}

std::string slowdown_text(const SamplingTotals &totals) {
  const double slowdown = slowdown_percent(totals);
  const std::string percent = rounded_percent(slowdown);
  return slowdown == 0 ? "none" : percent.starts_with("under") ? percent : "about " + percent;
}

std::string rounded_percent(double percent) {
  return percent > 0 && percent < 0.05 ? "under 0.1 %" : fmt::format("{:.1f} %", percent);
}

} // namespace awaitscope
