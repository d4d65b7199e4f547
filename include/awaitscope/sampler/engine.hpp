#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "awaitscope/capture/snapshot_memory.hpp"
#include "awaitscope/model/sample.hpp"
#include "awaitscope/sampler/kernel_ticks.hpp"
#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

enum class CaptureStatus : std::uint8_t {
  captured,
  moved,      ///< the thread ran on, each time
  no_cpu,     ///< the engine may not run where it must
  unreadable, ///< nobody says where the thread runs: what was known of the process is void (execve(2))
  unstopped,  ///< it did not stop in time, or may not be stopped
  ended,      ///< the thread is gone
  failed,     ///< the process is gone, or may no longer be read
};

struct Capture {
  CaptureStatus status = CaptureStatus::moved;
  unsigned retries = 0;
  std::int64_t read_ns = 0; ///< how long the thread could not run because of the accepted reading
};

/// A way to read a thread's memory while it stands still.
class Engine {
public:
  Engine() = default;
  Engine(const Engine &) = delete;
  Engine &operator=(const Engine &) = delete;
  virtual ~Engine() = default;

  [[nodiscard]] virtual std::string name() const = 0;

  /// What the user should know of how threads are read, and what earlier calls did not return; empty if there is nothing.
  [[nodiscard]] virtual std::string take_note() { return {}; }

  /// What a reading may take, in nanoseconds: the thread cannot run meanwhile.
  static constexpr std::int64_t k_longest_read_ns = 20'000'000;
  /// For how long the sampler has its priority after it was woken for a tick. Most ticks take a tenth of that; one that takes longer,
  /// since there are thousands of threads, goes on at the usual priority.
  static constexpr std::int64_t k_longest_tick_ns = 5'000'000;

  /// Calls `read` on fresh snapshots of the target's memory until one was made while the thread stood still throughout.
  /// What an earlier call of `read` produced is void. `known` is the thread's schedstat if it was read in this tick, while the
  /// thread could run: then it is found out whether the thread was on a CPU, too.
  virtual Capture capture(Target &target, TargetThread &thread, const std::optional<SchedStat> &known,
                          const std::function<void()> &read) = 0;

  /// Does it know, without asking, that the thread could run when this tick began?
  [[nodiscard]] virtual bool knows_runnable(const TargetThread & /*thread*/) const { return false; }

  /// As SwitchCapture::wakings(), without asking.
  [[nodiscard]] virtual std::optional<std::uint32_t> wakings(const TargetThread & /*thread*/) const {
    return std::nullopt;
  }

  /// Is the thread on the CPU that the sampler is on? A thread of which that is true is to be captured before one elsewhere: only
  /// as long as the sampler keeps its CPU is it known which thread it replaced there.
  virtual bool is_here(Target & /*target*/, TargetThread & /*thread*/) { return false; }

  /// Goes where the thread is, which is elsewhere. What it finds there of other threads is known then (TargetThread::on_cpu).
  virtual void approach(Target & /*target*/, TargetThread & /*thread*/) {}

  /// Of a thread that waited when it was asked, and has run since it was read: was it on a CPU when the tick began?
  virtual bool just_left_cpu(Target & /*target*/, TargetThread & /*thread*/) { return false; }

  /// What comes now is the wait for a tick, which is to interrupt whatever runs then.
  virtual void expect_tick() {}
  /// That wait is over.
  virtual void end_wait() {}

  /// What comes now, until the next expect_tick(), holds nothing: it has the usual priority. capture() sees to itself.
  virtual void rest() {}

  /// To be called often in the work of a tick that is usually short, and may be long: as rest(), from some milliseconds on.
  virtual void rest_if_long() {}

  /// A tick begins, in which the threads of these targets are read: to be called before anything else in it. They outlive the tick.
  virtual void begin_tick(std::span<Target *const> /*targets*/) {}

  /// What comes now, until the tick is over, needs no thread to stand still: it should be in nobody's way.
  virtual void step_aside() {}

  /// The tick is over: prepares the next reading of this target. `anew`: with what the last readings have used; else it may go by the
  /// last preparation.
  virtual void prepare(Target & /*target*/, bool /*anew*/) {}

  /// Ticks that the kernel samples without the sampler; null where it cannot.
  virtual KernelTicks *kernel_ticks() { return nullptr; }

  /// How long threads could not run because of all readings so far, also of those that were void.
  [[nodiscard]] std::int64_t held_ns() const { return held_ns_; }

  /// How many accepted readings began with what the kernel had copied, but for those of kernel_ticks().
  [[nodiscard]] std::uint64_t copied() const { return copied_; }

protected:
  void add_held(std::int64_t nanoseconds) { held_ns_ += nanoseconds; }
  void add_copied() { ++copied_; }

private:
  std::int64_t held_ns_ = 0;
  std::uint64_t copied_ = 0;
};

/// Of a thread that could run when it was asked (TargetThread::stat), and does not run now: was it on a CPU then? Whoever used the CPU
/// since for longer than it waited for one was. None if it did neither, as far as the kernel has counted it.
std::optional<bool> was_on_cpu_since(TargetThread &thread);

} // namespace awaitscope
