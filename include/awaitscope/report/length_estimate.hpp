#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace awaitscope {

/// A length, and what is known of it.
struct Length {
  enum class Is : std::uint8_t {
    measured, ///< to within the time between readings
    longer,   ///< the recording ended before the call did, or did not see it end
    shorter,  ///< one reading alone saw the call: this is the time between readings, and most such calls take less
  };
  std::int64_t ns = 0;
  Is is = Is::measured;
};

/// To sort by: nothing is less than any length.
inline double length_of(const std::optional<Length> &length) { return length ? static_cast<double>(length->ns) : -1; }

/// Of a span that readings saw (CallSpan, RequestSpan): it began and ended half-way to the readings around those that saw it. One that
/// was seen for less than a part of the time around is as good as seen once: two scans may be in one tick. Whoever counts one that had
/// begun before takes it for longer.
template <typename Span> Length seen_length(const Span &span) {
  constexpr std::int64_t k_brief = 8;
  const std::int64_t before_ns = 2 * (span.first_seen_ns - span.from_ns);
  const std::int64_t behind_ns = 2 * (span.to_ns - span.last_seen_ns);
  const std::int64_t seen_ns = span.last_seen_ns - span.first_seen_ns;
  if (span.begun && span.ended && seen_ns < (before_ns + behind_ns) / k_brief) {
    return {std::min(before_ns, behind_ns), Length::Is::shorter};
  }
  return {span.to_ns - span.from_ns, span.ended ? Length::Is::measured : Length::Is::longer};
}

/// The p-quantiles of lengths of which some are only known to be longer.
class LengthEstimate {
public:
  void add(Length length) { lengths_.push_back(length); }

  /// Quantiles ascending in 0..1, by Kaplan-Meier. Nothing without lengths.
  std::vector<Length> quantiles(const std::vector<double> &wanted);

private:
  std::vector<Length> lengths_;
};

} // namespace awaitscope
