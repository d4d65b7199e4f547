#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "awaitscope/cpython/call_marks.hpp"
#include "awaitscope/model/sample.hpp"

namespace awaitscope {

/// Follows the calls of one thread from sample to sample.
///
/// A call goes on where that can be, by its mark (CallMark), and ends with its callers. A thread that has not run is not
/// read again: all its calls go on. Of one that waits for work the innermost frames alone are read: what it was in
/// besides has ended.
///
/// Two calls in succession may be alike, and are then taken for one unless something is seen between them. So where a call is like
/// the last one in the same place, which was seen to end, the sample says so: of that function nothing may tell calls apart.
class CallTrail {
public:
  /// What follow() will say of these: how many of them go on.
  [[nodiscard]] std::size_t same(const std::vector<CallMark> &now) const;

  /// The thread was read, at this time (CLOCK_MONOTONIC).
  SampledCalls follow(const std::vector<CallMark> &now, std::int64_t time_ns);

  /// It was found to wait for work, its innermost frames in these places: the calls below the innermost of them that it was in have
  /// ended; all of them, if it was in none.
  void leave(std::span<const std::uint64_t> places, std::int64_t time_ns);

  /// It was seen at this time, in the same calls.
  void stay(std::int64_t time_ns) { seen_ns_ = seen_ns_ == 0 ? 0 : time_ns; }

  /// It began after this time.
  void begin(std::int64_t time_ns) { seen_ns_ = time_ns; }

  /// Is it inside any call?
  [[nodiscard]] bool any() const { return !calls_.empty(); }

private:
  void end_from(std::size_t depth);
  [[nodiscard]] std::size_t going_on(const std::vector<CallMark> &now, std::size_t marked) const;
  static constexpr std::size_t k_remembered = 256; // direct-mapped, by place

  std::vector<CallMark> calls_; ///< outermost first
  std::vector<CallMark> ended_; ///< the last one in each place
  std::int64_t seen_ns_ = 0;    ///< at last; 0: never
};

} // namespace awaitscope
