#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "awaitscope/recording/reader.hpp"

namespace awaitscope {

/// Shares the CPU time that the kernel counted among the samples that were taken of threads on a CPU.
///
/// The estimator. At each tick a thread is on a CPU or not, and if it is, it is in one stack. Ticks are at a random time in each
/// period T, so a stack that has the CPU for a time c is met in c / T ticks on average, wherever the thread is at other times:
/// waiting for the GIL, for a CPU, or in a call. So the n(s) samples of a stack s among the n samples on a CPU are an unbiased
/// count of its CPU time, and C * n(s) / n is its part of the time C that the kernel counted (a ratio estimate: what makes n too
/// large or too small, such as missed ticks, cancels out).
///
/// What is left of a bias. Which threads were on a CPU is as of the tick (PreemptEngine), but only the thread that the sampler took
/// its CPU from is read at once. One on another CPU has run on for the time d (0.1 ms) until the sampler comes to it, and its sample
/// is of what it does then. If a stack of that thread ends at the rate r, that is another one with the probability r d. As many
/// samples enter a stack in that way as leave it, unless the thread that the sampler holds meanwhile keeps the others from going on
/// or lets them: so a function that lasts for 0.1 ms without the GIL has up to a tenth too little where other threads run as well.
///
/// Its variance. Of n samples, each in s with the probability p, n(s) has the variance n p (1 - p) at most: ticks in different
/// periods are independent, and where a stack lasts for longer than a period they vary less. So the standard error of the part is
/// sqrt(p (1 - p) / n) at most: 1.6 points at 1,000 samples and p = 0.5.
///
/// Whose C. A thread with k_enough samples on a CPU whose account is complete has its own: the CPU times of its rows. All others
/// of a process share what is left of the kernel's count: those that were born and died between two ticks, for which samples of
/// others like them stand, those that ended, of which the last period is not known, and those with few samples. But samples stand
/// for a time of n T only, give or take sqrt(n) T. What is left beyond three times that was used by threads that were never
/// sampled, and is reported as not sampled. So is what a thread used before its first sample, less T, if it is more than chance
/// explains: a process that is born during the recording starts up before its interpreter can be read, and what it does then is not
/// what it does later.
class CpuEstimate {
public:
  /// A thread with so many samples on a CPU is scaled by its own account: their relative error is a third.
  static constexpr std::uint64_t k_enough = 10;

  /// Takes in a row of the recording. All rows, whatever part of the recording a view shows.
  void add(const SampleRun &run);

  /// After the last row.
  void finish(const RecordingReader &reader);

  /// The CPU time of so many samples on a CPU of this thread, in nanoseconds.
  [[nodiscard]] std::uint64_t cpu_ns(std::uint32_t thread, std::uint64_t samples) const;

  /// What no sample stands for.
  [[nodiscard]] std::uint64_t unsampled_ns() const { return unsampled_ns_; }

private:
  struct Thread {
    std::optional<SampleRun> first; ///< its first row
    std::uint64_t cpu_ns = 0;       ///< of its rows
    std::uint64_t samples = 0;      ///< on a CPU
    bool complete = false;          ///< its account at the end is there
    bool alone = false;             ///< it is scaled by its own account
    long double ns_each = 0;        ///< of a sample
  };

  /// What the thread used before its first sample, in nanoseconds; 0 if it may have run all the time like later.
  static long double used_before_first(const Thread &thread, long double each_ns);

  std::vector<Thread> threads_; ///< by the recording's number
  std::uint64_t unsampled_ns_ = 0;
};

} // namespace awaitscope
