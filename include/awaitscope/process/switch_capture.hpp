#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "awaitscope/model/event_count.hpp"
#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/perf_counter.hpp"
#include "awaitscope/process/remote_memory.hpp"

namespace awaitscope {

/// A list in the target's memory, each record of which points at the next one. Offsets in bytes.
struct RecordList {
  ThreadId tid = 0;      ///< whose list it is
  Address root = 0;      ///< where the pointer to the first record is; 0: there is no list
  bool indirect = false; ///< rather that to something which has that pointer at `first`
  std::uint32_t first = 0;
  std::uint32_t next = 0; ///< in a record, where the pointer to the next one is; a null pointer ends the list
  std::uint32_t key = 0;  ///< and where the record's key is
  std::uint64_t key_mask = ~std::uint64_t{0};
  std::uint32_t size = 0; ///< of a record, as far as it is copied: at most SwitchCapture::k_longest_record
};

/// A word of the target's memory, as it was.
struct GuardedWord {
  Address address = 0;
  std::uint64_t mask = ~std::uint64_t{0};
  std::uint64_t value = 0; ///< of the bits in the mask
};

/// What was copied at one moment. Points into the SwitchCapture, and holds as long as that copies nothing else there.
struct Copies {
  const std::byte *bytes = nullptr;        ///< the ranges of the request, one behind the other
  std::span<const std::uint8_t> failed;    ///< for each of them: 0 if it could be copied
  std::span<const Address> records;        ///< the addresses of the list's records, from the first one on
  const std::byte *record_bytes = nullptr; ///< SwitchCapture::k_record_stride bytes apart
  std::size_t record_size = 0;
};

/// Has the kernel copy memory of a thread at the very moment at which the sampler takes the CPU from it, and watch whether the
/// thread has run since.
///
/// A BPF program sits at the tracepoint sched_switch, which each CPU passes whenever another thread comes to run on it, while
/// the old one's memory still is at hand: a few cache lines cost a tenth there of what process_vm_readv takes for them. When the
/// sampler comes (`next`) behind a thread of the process (`prev`), the program copies the ranges that were requested before, and
/// the records of a list. When that thread comes to run again, on whichever CPU, it notes that, and also when the sampler lets go
/// of its CPU. So a look is of a thread that stood still if nothing was noted until after its last read: the note is made, with
/// the run queue locked, before the thread executes anything (kernel/sched/core.c, __schedule()), and on x86-64 whoever sees what
/// the thread stores then sees the note too.
///
/// A kernel may hide some switches from tracepoints: one was met on which those away from a protected process pass none. As the
/// sampler has kept its CPU, a thread that runs after such a switch does so on another one: where it is must be asked as well,
/// after the last read.
///
/// A second program sits at the tracepoint hrtimer_expire_entry, in the interrupt of each high-resolution timer. At moments that
/// were set it copies the same of the thread that the CPU was taken from last, if it is this one that the interrupt interrupts:
/// it stands still for so long, and the sampler need not come. It wakes the sampler instead, at once, if that thread does not
/// run on this CPU, or if the copy may not be all that is needed: a record's key is not among those that are known, a guarded
/// word has changed, or the list is too long.
///
/// Nothing of the target is changed, and the programs go when this object or its process does. Each switch of any other thread
/// pays about fifteen instructions (0.1 µs, as the kernel measures it), and each timer two. While something is copied, mostly for
/// 3 to 10 µs, the CPU's run queue is locked, or its interrupts are off.
class SwitchCapture {
public:
  static constexpr std::size_t k_most_ranges = 128;
  static constexpr std::size_t k_longest = 1024;         ///< bytes of a range
  static constexpr std::size_t k_most_bytes = 32 * 1024; ///< of all ranges together
  static constexpr std::size_t k_most_records = 256;
  static constexpr std::size_t k_longest_record = 120; ///< bytes
  static constexpr std::size_t k_record_stride = 128;
  static constexpr std::size_t k_most_ahead = 8; ///< moments
  static constexpr std::size_t k_most_guards = 8;

  /// For the thread `sampler` of this process, and the threads of `process`. Null where the kernel does not permit it (that takes
  /// CAP_BPF and CAP_PERFMON, or root) or cannot do it (before 5.18; in a PID namespace, since it counts as the host does). Takes
  /// some milliseconds of CPU time.
  static std::unique_ptr<SwitchCapture> open(ThreadId process, ThreadId sampler);

  SwitchCapture(const SwitchCapture &) = delete;
  SwitchCapture &operator=(const SwitchCapture &) = delete;
  ~SwitchCapture();

  [[nodiscard]] ThreadId process() const { return process_; }

  /// What is to be copied from now on: of these the first k_most_ranges, each of at most k_longest bytes, and of these the first
  /// that are no more than k_most_bytes together.
  void request(std::span<const RemoteRange> ranges);
  void request(const RecordList &list);

  /// When the CPU was taken from a thread.
  struct Moment {
    std::uint64_t number = 0;
    ThreadId tid = 0;
    bool runnable = false; ///< it was not about to wait
  };
  /// Whom the CPU was taken from last, whatever came of it; 0 if nobody yet.
  [[nodiscard]] ThreadId last_taken_from() const;

  /// The last such moment, if no switch has been seen since that ended it.
  [[nodiscard]] std::optional<Moment> moment() const;

  /// Has the sampler kept its CPU, and the thread not come to run by a switch that was seen? If the thread is not on another CPU
  /// either, it has stood still.
  [[nodiscard]] bool stands(const Moment &moment) const;

  /// The thread has been found to run after all: there is no moment until the next one.
  void end_moment();

  /// What was copied at the last moment.
  [[nodiscard]] Copies copies() const;
  /// How long the thread had run by then, since some earlier moment: only differences say something.
  [[nodiscard]] std::uint64_t ran_ns() const;

  /// Moments at which the programs copy without the sampler.
  /// Are there any? To be asked, and all of the following to be called, in the sampler's thread.
  [[nodiscard]] bool can_go_ahead() const;
  /// Adds keys of records to those that are known. Old ones may go for them.
  void know(std::span<const std::uint64_t> keys);
  void forget_keys();
  /// Has this counter of the thread read at each moment; null: none. False if it cannot be.
  bool count(const PerfCounter *counter);
  /// From now on, at these moments (CLOCK_MONOTONIC; in order, at most k_most_ahead), of the thread that the CPU was taken from
  /// last, as long as the guarded words (at most k_most_guards) are what they are. In place of what was set before. The timers
  /// fire on this CPU.
  void go_ahead(std::span<const std::int64_t> due_ns, std::span<const GuardedWord> guards);
  /// No further moments.
  void stay();
  /// Sleeps until one of the moments asks for the sampler, or until then, or a signal.
  void wait(std::int64_t until_ns);

  struct Ahead {
    bool captured = false; ///< else it has asked for the sampler, and nothing was copied
    std::int64_t time_ns = 0;
    std::int64_t took_ns = 0; ///< the copying
    std::uint64_t ran_ns = 0; ///< as ran_ns()
    EventCount count;         ///< of the counter, if there is one
    Copies copies;
  };
  /// What came of that moment; none if it is still to come.
  [[nodiscard]] std::optional<Ahead> ahead(std::size_t index) const;

private:
  SwitchCapture(ThreadId process, ThreadId sampler);
  struct Programs;
  [[nodiscard]] Copies copies_at(std::size_t index) const;

  ThreadId process_;
  std::unique_ptr<Programs> programs_;
};

} // namespace awaitscope
