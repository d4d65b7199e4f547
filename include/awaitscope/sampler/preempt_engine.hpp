#pragma once

#include "awaitscope/process/own_thread.hpp"
#include "awaitscope/sampler/engine.hpp"

namespace awaitscope {

/// Reads a thread from the CPU that it runs on: while the sampler runs there, the thread cannot. Nothing is stopped, so
/// nothing needs to be let go, and no moment of the thread's life is preferred.
///
/// A look is accepted if, behind its last read, the cpu_id in the thread's rseq area names the CPU that the sampler is on, and
/// the sampler was not switched out since before its first read (own_switches()). Proof: the kernel sets cpu_id to the CPU on
/// which a thread returns to user space, before it does, whenever that is another one than before (include/uapi/linux/rseq.h;
/// kernel/rseq.c, __rseq_handle_notify_resume(), asked for by rseq_migrate()). Throughout the look the sampler occupied its
/// CPU, so the thread executed nothing there. Had it executed anything in user space on another CPU, cpu_id would have named
/// that one from before its first instruction, and would still: only by running on the sampler's CPU could the thread set it
/// back. On x86-64 other CPUs see stores in their order and loads are made in theirs, so whoever reads the old cpu_id has
/// before read nothing that was stored after the new one. A thread that runs inside the kernel changes no Python object.
///
/// A blocked thread passes the same check. Without an rseq area (musl, glibc before 2.35) field 39 of its stat tells the CPU,
/// before and after, and the third field of schedstat must not have moved: a thread may come back to a CPU without running there.
class PreemptEngine final : public Engine {
public:
  [[nodiscard]] std::string name() const override { return "preempt"; }
  Capture capture(Target &target, TargetThread &thread, const std::optional<SchedStat> &known,
                  const std::function<void()> &look) override;

private:
  PromptScheduling scheduling_;
  CpuPin pin_;
};

} // namespace awaitscope
