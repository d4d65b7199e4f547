#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "awaitscope/capture/switch_capture.hpp"
#include "awaitscope/process/own_thread.hpp"
#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

/// Ticks that the kernel samples while the sampler sleeps: what it copies then is decoded later, many at once.
///
/// At 100 Hz a tick finds all caches cold: what takes 10 µs for the second sample in a row takes 50 for one alone, and waking up
/// for it as much. Only of one thread, and only as long as it is certain that what is copied is all that its sample needs (see
/// SwitchCapture); where it is not, the sampler is woken at once and samples that tick itself.
class KernelTicks {
public:
  static constexpr std::size_t k_most = SwitchCapture::k_max_ticks;

  KernelTicks(SwitchCapture &switches, CpuPin &pin) : switches_(switches), pin_(pin) {}

  /// From now on, of this thread, which the sampler replaced for this tick. `generation`: of the interpreter's thread list, as it is
  /// known. False if it cannot be.
  bool begin(Target &target, const TargetThread &thread, std::uint64_t generation,
             std::span<const std::int64_t> due_ns);
  [[nodiscard]] ThreadId tid() const { return tid_; }
  [[nodiscard]] bool active() const { return done_ < count_; }

  /// The next one that is over, in order.
  std::optional<SwitchCapture::Tick> next();

  /// Calls `read` on what was copied then. False if that needs more.
  static bool read(Target &target, const SwitchCapture::Tick &tick, const std::function<void()> &read);

  /// What is enough for a sample is to be found out anew.
  void forget() { switches_.clear_keys(); }

  /// The thread's CPU time at that time, by its schedstat (nanoseconds).
  [[nodiscard]] std::uint64_t cpu_ns(const SwitchCapture::Tick &tick) const;

  /// Sleeps until one of them needs the sampler, or until then, or a signal.
  void wait(std::int64_t until_ns) { switches_.wait(until_ns); }

  /// No further ones. How many had not come.
  std::size_t end();

private:
  SwitchCapture &switches_;
  CpuPin &pin_;
  ThreadId tid_ = 0;
  std::size_t count_ = 0;
  std::size_t done_ = 0;
  std::uint64_t cpu_ns_ = 0; ///< of the thread, when it had run for ran_ns_
  std::uint64_t ran_ns_ = 0;
  std::vector<std::uint64_t> codes_;
  std::vector<GuardedWord> guards_;
};

} // namespace awaitscope
