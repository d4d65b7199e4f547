#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

/// Which threads are looked at in each tick.
///
/// A server's many workers wait most of the time, and to ask the kernel of each whether it still does is most of what a tick
/// costs. Those that waited when they were last asked have their turn in one tick of four only, which is chosen at random among
/// four in advance; what is found running then counts fourfold, so that no share becomes another one. Not so the thread that
/// holds the GIL, one inside calls that are followed, and the one that the sampler took the CPU from: these are known in each
/// tick, are read in each, and count once. So what runs Python code is sampled as often as ever, and only what runs without the
/// GIL in a thread that seldom runs has more noise.
class ThreadTurns {
public:
  static constexpr unsigned k_every = 4;

  /// Starts a tick, before anything is asked: decides who has to wait for a turn, and whether it is now. `known_holder`: there is
  /// one GIL, whose holder can be told.
  void begin(const std::vector<TargetThread> &threads, ThreadId process, bool known_holder);

  /// Do any threads have turns?
  [[nodiscard]] bool apply() const { return apply_; }
  /// Is it the turn of those?
  [[nodiscard]] bool now() const { return now_; }
  /// Must this thread wait for its turn (as of begin(); `place` is its place in the list)?
  [[nodiscard]] bool waits(std::size_t place) const { return apply_ && place < waits_.size() && waits_[place]; }

private:
  std::vector<bool> waits_;
  bool apply_ = false;
  bool now_ = true;
  unsigned tick_ = 0;   ///< of a group of k_every
  unsigned chosen_ = 0; ///< of these
  std::minstd_rand random_{std::random_device{}()};
};

} // namespace awaitscope
