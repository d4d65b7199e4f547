#pragma once

#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "awaitscope/capture/switch_capture.hpp"
#include "awaitscope/process/own_thread.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope {

/// Reads a thread from the CPU that it runs on: while the sampler runs there, the thread cannot. Nothing is stopped, so
/// nothing needs to be let go, and no point of the thread's life is preferred.
///
/// A reading is accepted if the thread was not scheduled in from before its first to after its last read (the third field of
/// schedstat did not move), and behind its last read the cpu_id of the thread's rseq area names the CPU that the sampler was
/// on after the first of these two checks. Proof: had the thread executed anything in user space meanwhile, then on a CPU
/// that it had since before the reading, so on another one than the sampler's. The kernel sets cpu_id to the CPU on which a
/// thread returns to user space, before it does, whenever that is another one than before (include/uapi/linux/rseq.h;
/// kernel/rseq.c, __rseq_handle_notify_resume(), asked for by rseq_migrate()): cpu_id would name that other CPU, and could not
/// come to name the sampler's without the thread being scheduled in there. On x86-64 stores become visible in their order
/// and loads are made in theirs, so whoever still reads the old cpu_id has read nothing that was stored after the new one.
/// A thread that runs inside the kernel changes no Python object.
///
/// A blocked thread passes the same check. Without an rseq area (musl, glibc before 2.35) field 39 of its stat tells the CPU,
/// before the first read too: it also changes when a waiting thread is moved to another CPU's queue.
///
/// Whether a thread was on a CPU when the tick began.
/// - Where the sampler woke up: if it took the CPU from that thread, both are accounted for at the same time, that of the switch from
///   the one to the other (ThreadWatch::accounted_ns()); a thread that waits for the CPU left it earlier.
/// - On another CPU, a thread that could run when it was asked: if from then to the sampler's coming it used the CPU for longer than
///   it waited for one, it had it. (The kernel brings the account of a running thread up to date at its ticks and when the thread
///   leaves the CPU, as it does when the sampler comes, and the wait when it is over.) That is found out of the threads of all targets
///   at once, when the sampler first comes to another CPU: from then on it is the sampler that they wait for.
/// - A thread that waited when it was asked: it left its CPU when it was last accounted for, by the clock of that CPU's run queue. How
///   far that is from CLOCK_MONOTONIC is seen whenever the sampler comes to the CPU.
///
/// This thread has another priority than usual only while it waits for a tick and in the first milliseconds after it, and in
/// capture(). A reading ends after k_longest_read_ns: what it has not read by then is unreadable.
///
/// Where the kernel permits it, a SwitchCapture knows which thread the sampler replaced on its CPU and whether that has run since,
/// and has copied its memory: a reading of that thread needs neither check, nor most of its reads.
class PreemptEngine : public Engine {
public:
  using Opened = Result<std::unique_ptr<SwitchCapture>>;

  /// `switches` is for the threads of `process`. Until it is open, and where it fails to, the engine does without.
  explicit PreemptEngine(ThreadId process = 0, std::future<Opened> switches = {});

  [[nodiscard]] std::string name() const override { return switches_ ? "bpf" : "preempt"; }
  [[nodiscard]] bool knows_runnable(const TargetThread &thread) const override;
  [[nodiscard]] std::optional<std::uint32_t> wakings(const TargetThread &thread) const override;
  bool is_here(Target &target, TargetThread &thread) override;
  void approach(Target &target, TargetThread &thread) override;
  bool just_left_cpu(Target &target, TargetThread &thread) override;
  void expect_tick() override { scheduling_.raise(); }
  void end_wait() override { scheduling_.woke(); }
  void rest() override { scheduling_.lower(); }
  void rest_if_long() override;
  void begin_tick(std::span<Target *const> targets) override;
  void step_aside() override;
  void prepare(Target &target, bool anew) override;
  KernelTicks *kernel_ticks() override { return ticks_ ? &*ticks_ : nullptr; }
  Capture capture(Target &target, TargetThread &thread, const std::optional<SchedStat> &known,
                  const std::function<void()> &read) override;

private:
  Capture capture_raised(Target &target, TargetThread &thread, const std::optional<SchedStat> &known,
                         const std::function<void()> &read);
  [[nodiscard]] std::optional<SwitchCapture::Switch> replaced(const TargetThread &thread) const;
  bool read_at_switch(const SwitchCapture::Switch &last, Target &target, TargetThread &thread,
                      const std::function<void()> &read, Capture &capture);

  void finish_opening();
  void request_frames(Target &target);
  void for_undecided(const std::function<void(Target &, TargetThread &)> &decide);
  bool move_to(int cpu);
  void note_arrival();
  bool was_on_cpu_here(TargetThread &thread);

  ThreadId process_; ///< that the kernel helps with
  std::future<Opened> opening_;
  std::unique_ptr<SwitchCapture> switches_;
  std::optional<KernelTicks> ticks_;
  ThreadId frames_of_ = 0;                 ///< whose frames are copied as well
  std::vector<Target *> targets_;          ///< of this tick
  ThreadWatch self_;                       ///< of the sampler's thread
  bool moved_ = false;                     ///< to another CPU, in this tick
  std::int64_t tick_ns_ = 0;               ///< when the tick began, CLOCK_MONOTONIC
  std::int64_t came_ns_ = 0;               ///< when it came to its CPU, CLOCK_MONOTONIC
  std::optional<std::int64_t> arrived_ns_; ///< the same by ThreadWatch::accounted_ns(), if that is known
  std::map<int, std::int64_t> offset_ns_;  ///< by CPU: CLOCK_MONOTONIC less that
  PromptScheduling scheduling_;
  CpuPin pin_;
};

} // namespace awaitscope
