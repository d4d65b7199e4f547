#pragma once

#include <cstdint>
#include <deque>
#include <optional>

namespace awaitscope {

/// How fast to sample, so that sampling costs no more than a part of one CPU.
///
/// The cost is the CPU time of all the tool's threads, by the scheduler's account, plus the time for which threads of the target
/// were kept from running because they were being read. An engine that reads from the target's own CPU spends the same
/// nanosecond in both; they are added all the same. What is lost depends on the machine: with a CPU to spare it is the time that
/// the target stands still, on a full one it is the CPU that the tool takes from others, and an engine that stops a thread from
/// another CPU costs both. The sum is below the limit only if each is, so the promise holds whichever of them is measured.
///
/// Without a limit of the user's, the cost is only the time for which threads were kept from running (Engine::held_ns()): what else the
/// sampler does at a tick delays a thread only where it has no other CPU to go to, and is short or at the usual priority.
///
/// The rate is the limit divided by what a tick has cost during the last second, ticks and all that goes with them: writing,
/// looking for children. So it falls at once when ticks become dear, however fast they come, and what was spent above the
/// limit meanwhile is saved within the seconds that follow. It rises slowly, doubling in a second, as the next dear moment may
/// be near; never above what was asked for, nor does it fall below one tick a second.
class RateControl {
public:
  /// `most_share` of one CPU; without it the rate stays what was asked.
  RateControl(double asked_hz, std::optional<double> most_share) : asked_hz_(asked_hz), most_share_(most_share) {}

  /// Before the first tick, with what the tool has spent before: that does not count.
  void start(std::int64_t now_ns, std::int64_t cost_ns);

  /// Whether it is time for look(): what that needs is not free.
  [[nodiscard]] bool due(std::int64_t now_ns) const;

  /// The new rate, if it is another from now on. `cost_ns` and `ticks` are those so far.
  std::optional<double> look(std::int64_t now_ns, std::int64_t cost_ns, std::uint64_t ticks);

  /// Of a tick: for how many ticks of the rate that was asked for it stands. Whole numbers, whose sum is right.
  std::uint64_t weight();

  [[nodiscard]] double rate_hz() const { return rate_hz_; }

private:
  struct Step {
    std::int64_t at_ns = 0;
    std::int64_t cost_ns = 0;
    std::uint64_t ticks = 0;
  };
  [[nodiscard]] double affordable_hz() const;
  void keep_account(const Step &step);

  double asked_hz_;
  std::optional<double> most_share_;
  double rate_hz_ = asked_hz_;
  double rest_ = 0;         ///< of ticks, not in any weight yet
  double overdrawn_ns_ = 0; ///< spent above the limit, and not saved since
  std::deque<Step> steps_;  ///< of the last second
};

/// Whether a tenth of the ticks that were due was missed, of ten at least.
bool is_much_missed(std::uint64_t ticks, std::uint64_t late);

/// Notices that the machine cannot hold the rate: when much of the ticks of a second is missed.
class LateTicks {
public:
  /// To be called a few times a second with the ticks and the late ones so far. True once, when that is so.
  bool notice(std::int64_t now_ns, std::uint64_t ticks, std::uint64_t late);

private:
  bool noticed_ = false;
  std::int64_t since_ns_ = 0;
  std::uint64_t ticks_ = 0;
  std::uint64_t late_ = 0;
};

} // namespace awaitscope
