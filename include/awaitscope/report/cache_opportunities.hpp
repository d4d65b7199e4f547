#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "awaitscope/report/hit_estimate.hpp"
#include "awaitscope/report/profile.hpp"

namespace awaitscope {

/// What a cache in front of a function would do: functools.lru_cache keeps what the function returned for the arguments that it was
/// called with last.
struct CacheOpportunity {
  CodeId code = 0;
  std::uint64_t cpu_ns = 0;  ///< with what it calls
  std::uint64_t wall_ns = 0; ///< the same
  std::uint64_t calls = 0;   ///< that were seen
  std::uint64_t judged = 0;  ///< of these, whose arguments are known
  HitEstimate hits;          ///< of those that were judged; `saved` is a part of the cost
  /// The same if objects at one address are the same one, which samples cannot tell; none where that makes no difference.
  std::optional<HitEstimate> hits_if_same;
  bool measured = false;         ///< every call was seen
  bool hashable = true;          ///< no call had an argument without a hash
  std::uint64_t by_identity = 0; ///< of the judged calls, those with an argument that is compared by identity
  std::uint64_t may_equal =
      0;               ///< of these, those whose class may take it for equal to another one: hits are a lower bound
  bool merged = false; ///< calls that could not be separated may count as one
  std::optional<bool>
      confirmed; ///< equal arguments had equal returns, always; none: returns are not known, or nothing repeated
  /// The hit rate if `self` did not matter, where the function has one, and how many there were.
  std::optional<double> hit_rate_without_self;
  std::uint64_t selves = 0;
  std::vector<std::string> examples; ///< the most frequent arguments, if the recording shows them
  bool recommended = false;
  std::vector<std::string> reasons; ///< why not; what to mind

  /// Is its hit rate no lower bound?
  [[nodiscard]] bool is_exact() const { return measured && may_equal == 0; }

  /// What the cache would have saved of the CPU time.
  [[nodiscard]] std::uint64_t saving_ns(const CacheEffect &effect) const {
    return static_cast<std::uint64_t>(effect.saved * static_cast<double>(cpu_ns));
  }
};

struct CacheOpportunities {
  std::vector<CacheOpportunity> functions; ///< the largest saving first
  std::uint64_t profile_ns = 0;            ///< CPU time of all that was recorded
};

/// Reads the recording to its end. A call counts if it began inside the range.
Result<CacheOpportunities> read_cache_opportunities(RecordingReader &reader, const TimeRange &range,
                                                    const Filter &filter);

} // namespace awaitscope
