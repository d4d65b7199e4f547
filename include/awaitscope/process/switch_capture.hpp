#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/bpf_program.hpp"
#include "awaitscope/process/remote_memory.hpp"

namespace awaitscope {

/// Has the kernel copy memory of a thread at the very moment at which the sampler takes the CPU from it, and watch whether the
/// thread has run since.
///
/// A BPF program sits at the tracepoint sched_switch, which each CPU passes whenever another thread comes to run on it, while
/// the old one's memory still is at hand: a few cache lines cost a tenth there of what process_vm_readv takes for them. When the
/// sampler comes (`next`) behind a thread of the process (`prev`), the program copies the ranges that were requested before. When
/// that thread comes to run again, on whichever CPU, it notes that. So a look is of a thread that stood still exactly if nothing
/// was noted until after its last read: the note is made, with the run queue locked, before the thread executes anything
/// (kernel/sched/core.c, __schedule()), and on x86-64 whoever sees what the thread stores then sees the note too.
///
/// Nothing of the target is changed, and the program goes when this object or its process does. Each switch of any other thread
/// pays about ten instructions (0.1 µs, as the kernel measures it). While ranges are copied, mostly for 3 to 10 µs, the CPU's
/// run queue is locked.
class SwitchCapture {
public:
  static constexpr std::size_t k_most_ranges = 128;
  static constexpr std::size_t k_longest = 1024; ///< bytes

  /// For the thread `sampler` of this process, and the threads of `process`. Null where the kernel does not permit it (that takes
  /// CAP_BPF and CAP_PERFMON, or root) or cannot do it (before 5.18; in a PID namespace, since it counts as the host does). Takes
  /// some milliseconds of CPU time.
  static std::unique_ptr<SwitchCapture> open(ThreadId process, ThreadId sampler);

  [[nodiscard]] ThreadId process() const { return process_; }

  /// What is to be copied from now on: of these the first k_most_ranges, each of at most k_longest bytes.
  void request(std::span<const RemoteRange> ranges);

  /// When the CPU was taken from a thread.
  struct Moment {
    std::uint64_t number = 0;
    ThreadId tid = 0;
    bool runnable = false; ///< it was not about to wait
  };
  /// The last such moment, if the thread has not run since.
  [[nodiscard]] std::optional<Moment> moment() const;

  /// Has the thread still not run, and been copied no second time?
  [[nodiscard]] bool stands(const Moment &moment) const;

  /// Could the request's range `index` be copied at the last moment? It then is at copies() + index * k_longest.
  [[nodiscard]] bool copied(std::size_t index) const;
  [[nodiscard]] const std::byte *copies() const { return copies_.data(); }

private:
  struct Shared;
  SwitchCapture(ThreadId process, ThreadId sampler);
  [[nodiscard]] BpfProgram program() const;
  static void emit_introduction(BpfProgram &p, BpfProgram::Label end);
  static void emit_moment(BpfProgram &p, BpfProgram::Label end);
  static void emit_copies(BpfProgram &p);
  [[nodiscard]] Shared &shared() const;

  ThreadId process_;
  BpfMemory control_;
  BpfMemory copies_;
  UniqueFd attached_;
};

} // namespace awaitscope
