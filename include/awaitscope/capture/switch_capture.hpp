#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "awaitscope/capture/copies.hpp"
#include "awaitscope/model/event_count.hpp"
#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/perf_counter.hpp"
#include "awaitscope/process/remote_memory.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope {

namespace capture {
class Programs;
struct CaptureControl;
} // namespace capture

/// Has the kernel copy memory of a thread at the very time at which the sampler takes the CPU from it, and watch whether the
/// thread has run since.
///
/// A BPF program sits at the tracepoint sched_switch, which each CPU passes whenever another thread comes to run on it, while
/// the old one's memory still is at hand: a few cache lines cost a tenth there of what process_vm_readv takes for them. When the
/// sampler comes (`next`) behind a thread of the process (`prev`), the program copies the ranges that were requested before, and
/// the records of a list. When that thread comes to run again, on whichever CPU, it notes that, and also when the sampler leaves
/// its CPU. So a reading is of a thread that stood still if nothing was noted until after its last read: the note is made, with
/// the run queue locked, before the thread executes anything (kernel/sched/core.c, __schedule()), and on x86-64 whoever sees what
/// the thread stores then sees the note too.
///
/// A kernel may hide some switches from tracepoints: one was met on which those away from a protected process pass none. As the
/// sampler has kept its CPU, a thread that runs after such a switch does so on another one: where it is must be asked as well,
/// after the last read.
///
/// A second program sits at the tracepoint hrtimer_expire_entry, in the interrupt of each high-resolution timer. At ticks that
/// were armed it copies the same of the thread that the sampler replaced last, if it is this one that the interrupt interrupts:
/// it stands still for so long, and the sampler need not run. The program wakes the sampler instead, at once, if that thread does
/// not run on this CPU, or if the copy may not be all that is needed: a record's key is not among those that are known, a guarded
/// word has changed, or the list is too long.
///
/// A third one, at sched_waking, counts how often each thread of the process is woken: one that was not since it was found blocked need
/// not be asked.
///
/// Nothing of the target is changed, and the programs go when this object or its process does. Each switch of any other thread
/// pays about fifteen instructions (0.1 µs, as the kernel measures it), and each timer two. While something is copied, mostly for
/// 3 to 10 µs, the CPU's run queue is locked, or its interrupts are off.
class SwitchCapture {
public:
  static constexpr std::size_t k_max_ticks = 8;
  static constexpr std::size_t k_max_guards = 8;

  /// Fails where the kernel does not permit it (that takes CAP_BPF and CAP_PERFMON, or root), cannot do it (before 5.18; in a PID
  /// namespace, since it counts as the host does), or the executable was built without the programs. Takes some milliseconds of CPU
  /// time. Nothing is copied until follow().
  static Result<std::unique_ptr<SwitchCapture>> open();

  SwitchCapture(const SwitchCapture &) = delete;
  SwitchCapture &operator=(const SwitchCapture &) = delete;
  ~SwitchCapture();

  /// From now on for the thread `sampler` of this process, and the threads of `process`. Once.
  void follow(ThreadId process, ThreadId sampler);
  [[nodiscard]] ThreadId process() const;

  /// What is to be copied from now on: of these the first Copies::k_max_ranges, each of at most Copies::k_longest_range bytes, and of
  /// these the first that are no more than Copies::k_max_bytes together.
  void request(std::span<const RemoteRange> ranges);
  void request(const RecordList &list);

  /// The sampler came to run in place of a thread of the process.
  struct Switch {
    std::uint64_t number = 0;
    ThreadId tid = 0;
    bool runnable = false; ///< the thread was not about to wait
  };
  /// Which thread the sampler replaced last, whatever it has done since; 0 if none yet.
  [[nodiscard]] ThreadId last_replaced() const;

  /// The last such switch, if it holds.
  [[nodiscard]] std::optional<Switch> last_switch() const;

  /// Has the sampler kept its CPU, and the thread not come to run by a switch that was seen? If the thread is not on another CPU
  /// either, it has stood still.
  [[nodiscard]] bool holds(const Switch &last) const;

  /// The thread has been found to run after all: none holds until the next one.
  void discard_switch();

  /// What was copied at the last switch.
  [[nodiscard]] Copies copies() const;
  /// How long the thread had run by then, since some earlier time: only differences say something.
  [[nodiscard]] std::uint64_t ran_ns() const;

  /// How often this thread of the process was woken, or one with the same last bits of its number: one that was blocked, and of which
  /// this has not changed since, is blocked. None where that is not known.
  [[nodiscard]] std::optional<std::uint32_t> wakings(ThreadId tid) const;

  /// Can ticks be armed? To be asked, and all of the following to be called, in the sampler's thread.
  [[nodiscard]] bool can_arm() const;
  /// Adds keys of records to those that are known. Old ones may go for them.
  void add_keys(std::span<const std::uint64_t> keys);
  void clear_keys();
  /// Has this counter of the thread read at each tick; null: none. False if it cannot be.
  bool count(const PerfCounter *counter);
  /// From now on the programs copy at these times (CLOCK_MONOTONIC; in order, at most k_max_ticks), of the thread that the sampler
  /// replaced last, as long as the guarded words (at most k_max_guards) are what they are. In place of what was armed before. The
  /// timers fire on this CPU.
  void arm(std::span<const std::int64_t> due_ns, std::span<const GuardedWord> guards);
  /// No further ticks.
  void disarm();
  /// Sleeps until one of the ticks needs the sampler, or until then, or a signal.
  void wait(std::int64_t until_ns);

  struct Tick {
    bool captured = false; ///< else it needs the sampler, and nothing was copied
    std::int64_t time_ns = 0;
    std::int64_t took_ns = 0; ///< the copying
    std::uint64_t ran_ns = 0; ///< as ran_ns()
    EventCount count;         ///< of the counter, if there is one
    Copies copies;
  };
  /// What came of that tick; none if it is still to come.
  [[nodiscard]] std::optional<Tick> tick(std::size_t index) const;

private:
  struct Timers;
  explicit SwitchCapture(std::unique_ptr<capture::Programs> programs);
  [[nodiscard]] capture::CaptureControl &control() const;
  [[nodiscard]] Copies copies_at(std::size_t index) const;

  std::unique_ptr<capture::Programs> programs_;
  std::unique_ptr<Timers> timers_;
};

} // namespace awaitscope
