#pragma once

#include "awaitscope/process/own_thread.hpp"
#include "awaitscope/sampler/engine.hpp"

namespace awaitscope {

/// Reads a thread from the CPU that it runs on: while the sampler runs there, the thread cannot. Nothing is stopped, so
/// nothing needs to be let go, and no moment of the thread's life is preferred.
///
/// A look is accepted if the thread was on the sampler's CPU (the cpu_id of its rseq area, include/uapi/linux/rseq.h, which
/// the kernel sets before the thread returns to user space) before the first and after the last read, and was not scheduled
/// in between (the third field of schedstat did not move). A blocked thread passes the same check. Without an rseq area
/// (musl, glibc before 2.35) field 39 of its stat tells the CPU.
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
