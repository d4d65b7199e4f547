#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace awaitscope {

/// A call with the key of its arguments, in the order in which calls began.
struct KeyedCall {
  std::size_t key = 0; ///< equal for equal arguments
  double seen = 1;     ///< samples that saw it; of a call that was traced: 1
  double cost = 0;     ///< in any unit; of a sampled call, what those samples stand for
  bool raised = false; ///< it ended by an exception, which no cache keeps; of a sampled call that is not known
};

/// What a cache of one size would have done.
struct CacheEffect {
  std::size_t maxsize = 0; ///< 0: unbounded
  double hit_rate = 0;     ///< of calls
  double saved = 0;        ///< of the cost
};

struct HitEstimate {
  std::size_t distinct = 0; ///< keys that were seen
  double calls = 0;         ///< how many there were, those that were not seen as well
  std::array<CacheEffect, 3> by_maxsize{CacheEffect{128}, CacheEffect{1024}, CacheEffect{0}};

  [[nodiscard]] const CacheEffect &unbounded() const { return by_maxsize.back(); }
};

/// Of calls of which every one is there: what an LRU cache would have hit. A call hits if fewer than `maxsize` other keys came since
/// its key did (Mattson et al. 1970, reuse distance); `saved` is what these calls cost.
HitEstimate measure_hits(const std::vector<KeyedCall> &calls);

/// Of the calls that samples have seen, one sample at a random moment of each period (Pacer).
///
/// Which calls are missing. A call of the length a, in periods, is seen with the probability p(a) = 1 - P0(a), where Pm(a) is the
/// probability that m samples see it: long calls are seen more often than short ones, and each stands for 1/p of its like (Horvitz
/// and Thompson 1952). For those that two samples or more have seen p is 1. Those that one sample has seen are taken to be of one
/// length, for which P2/P1 is what the numbers of calls are that two and one have seen; this ratio grows with the length. Here an
/// upper bound of the former number (95 %) is used, so that calls count as longer, and fewer, than they are.
///
/// What they would have done. Of keys that were seen, one call each misses. Calls that were not seen are of unseen keys as often as
/// the next call would have been: that is the share of the keys that were seen once (Good 1953, Turing); at worst each of them
/// misses. So with N calls, of which n were seen, D keys and f of them once, all of one length, the hit rate is at least
///   1 - D/N - (1 - n/N) f/n,
/// which is what happened if all calls were seen, and Good and Turing's coverage if hardly any were. With weights w = 1/p instead of
/// one length, D stays, N is their sum, and (N - n) f/n is the sum of w - 1 over the calls of keys that were seen once. Of this a
/// one-sided bound is taken (95 %, by the number of these calls), but no less than the share of the calls that repeat one that was
/// seen, which is a hit whatever was not seen.
///
/// `saved` is the estimate itself, without bounds: the same sums, of the costs of these calls instead of their numbers, and of the
/// mean cost of each key's calls. A bounded cache hits those whose reuse distance among the calls that were seen is below its size,
/// which is right if a key's calls are spread evenly: leaving out calls at random leaves such distances as they are.
HitEstimate estimate_hits(const std::vector<KeyedCall> &calls);

/// Pm(a) for m of 0, 1 and 2.
std::array<double, 3> seen_by(double length);

} // namespace awaitscope
