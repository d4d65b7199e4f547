#pragma once

#include <functional>
#include <optional>
#include <string>

#include "awaitscope/process/own_thread.hpp"
#include "awaitscope/process/tracer.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/sampler/preempt_engine.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope {

/// Reads a thread while it is stopped (ThreadStop), wherever it runs.
class StoppedThreads {
public:
  /// As Engine::capture(). A sample of which the thread was stopped is `captured`, one of which it did not stop in time or may not be
  /// stopped `unstopped`.
  Capture capture(Target &target, TargetThread &thread, const std::optional<SchedStat> &known,
                  const std::function<void()> &read);

  /// Fails if threads of this process may not be stopped, or somebody else traces it. Stops its first thread for an instant.
  static Result<void> check(ThreadId pid);

private:
  Tracer tracer_;
};

/// Stops each thread that is to be read. Needs ptrace's right and no CPU of the target's. A thread that is in the kernel stops where
/// it leaves it: system calls are seen too often, and what is beside them too seldom.
class StopEngine final : public Engine {
public:
  [[nodiscard]] std::string name() const override { return "stop"; }
  [[nodiscard]] std::string take_note() override;
  void expect_tick() override { scheduling_.raise(); }
  void end_wait() override { scheduling_.woke(); }
  void rest() override { scheduling_.lower(); }
  void rest_if_long() override;
  Capture capture(Target &target, TargetThread &thread, const std::optional<SchedStat> &known,
                  const std::function<void()> &read) override;

private:
  StoppedThreads stopped_;
  PromptScheduling scheduling_;
  bool noted_ = false;
};

/// Preempts, and stops the threads of which the CPU is not allowed for this process.
class PreemptOrStopEngine final : public PreemptEngine {
public:
  using PreemptEngine::PreemptEngine;

  [[nodiscard]] std::string name() const override;
  [[nodiscard]] std::string take_note() override;
  Capture capture(Target &target, TargetThread &thread, const std::optional<SchedStat> &known,
                  const std::function<void()> &read) override;

private:
  StoppedThreads stopped_;
  bool preempted_any_ = false;
  bool stopped_any_ = false;
  bool noted_ = false;
};

} // namespace awaitscope
