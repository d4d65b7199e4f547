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
  bool known = true;       ///< false: what follows says nothing
  double hit_rate = 0;     ///< of calls; where only samples saw them, of their time
  double saved = 0;        ///< of the cost
};

struct HitEstimate {
  std::size_t distinct = 0; ///< keys that were seen
  std::array<CacheEffect, 3> by_maxsize{CacheEffect{128}, CacheEffect{1024}, CacheEffect{0}};

  [[nodiscard]] const CacheEffect &unbounded() const { return by_maxsize.back(); }
};

/// Of calls of which every one is there: what an LRU cache would have hit. A call hits if fewer than `maxsize` other keys came since
/// its key did (Mattson et al. 1970, reuse distance); `saved` is what these calls cost.
HitEstimate measure_hits(const std::vector<KeyedCall> &calls);

/// Of the calls that samples have seen, one sample at a random moment of each period (Pacer). How many calls were not seen nobody
/// knows: of calls that are short enough there may be any number between two samples. So nothing is said of their number, but of the
/// time that they took.
///
/// The hit rate is a lower bound: the part of the function's time in calls that an unbounded cache would have answered. Such a cache
/// misses the first call of each key. Let M be the time that these calls took, in periods, of the time T of all. A sample is at a
/// random moment, so the number X of samples in first calls has the mean M. If a sample is in the first call of its key then no call
/// of that key was seen before; so X is at most x, the number of samples in the first calls that were *seen* of each key, however many
/// calls were not. So M/T is at most x/n in the mean, n being all samples.
///
/// X is a sum over periods, each with one sample, which a first call covers to the part p: its variance is at most the sum of
/// p (1 - p). A call has at most two periods that it covers in part, which add at most 1/4 each; all that are short add at most p each,
/// the sum of which is the mean of the samples in them. So with b first calls that were seen by one sample and l by more, the
/// bound adds 1.645 sqrt(b + l/2 + 1) + 1 samples to x (95 %, one-sided).
///
/// Of a bounded cache nothing is known: a call hits if fewer than maxsize other keys came since its key did, and any number of keys
/// may have come unseen.
///
/// `saved` is no bound but an estimate. A call of the length a, in periods, is seen with the probability p(a) = 1 - P0(a), where Pm(a)
/// is the probability that m samples see it: each seen call stands for 1/p of its like (Horvitz and Thompson 1952). Those that two
/// samples or more have seen have p = 1. Those that one has seen are taken to be of one length, for which P2/P1 is what the numbers of
/// calls are that two and one have seen. Calls that were not seen miss as often as the next call would have been of an unseen key: the
/// share of the keys that were seen once (Good 1953, Turing). With weights w = 1/p the missed cost is the sum of the mean cost of each
/// key's calls, and of w - 1 times the cost of calls of keys that were seen once.
HitEstimate estimate_hits(const std::vector<KeyedCall> &calls);

/// Pm(a) for m of 0, 1 and 2.
std::array<double, 3> seen_by(double length);

} // namespace awaitscope
