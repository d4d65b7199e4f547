#include "awaitscope/sampler/snapshot_taker.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include "awaitscope/support/clock.hpp"
#include "snapshot_attempt.hpp"
#include "snapshot_pieces.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_patience_ns = k_ns_per_second / 2;
constexpr int k_too_long = 3; // so often: once may be the fault of a busy machine
constexpr unsigned k_let_go_on_us = 200;

tl::unexpected<Error> ended(ThreadId pid) {
  return fail(ExitStatus::no_target, fmt::format("process {} ended while it was read", pid),
              "start it again and give its new PID");
}

} // namespace

Result<ProcessSnapshot> take_snapshot(Target &target, Engine &engine) {
  ProcessSnapshot snapshot;
  static_cast<ProcessDescription &>(snapshot) = target.description();
  const std::int64_t deadline = monotonic_ns() + k_patience_ns;
  for (int too_long = 0; too_long < k_too_long;) {
    target.memory().begin();
    target.set_threads(target.interpreters().threads());
    SnapshotAttempt attempt(target, engine);
    const CaptureStatus status = attempt.run(snapshot);
    const bool whole = attempt.undisturbed() && target.tasks().saw_all();
    const bool any = !snapshot.threads.empty(); // else it is ending, or has no Python thread just now
    if (status == CaptureStatus::captured && !attempt.too_long() && whole && any) {
      return snapshot;
    }
    if (!target.tasks().saw_all()) {
      ::usleep(k_let_go_on_us); // it is in the middle of something, and may have no CPU while this thread has it
    }
    const Result<void> readable = target.process().check_readable();
    if (!readable && readable.error().status != ExitStatus::no_target) {
      return tl::unexpected(readable.error());
    }
    if (status == CaptureStatus::failed || !readable) {
      return ended(snapshot.pid);
    }
    const bool late = monotonic_ns() > deadline;
    if (late && status == CaptureStatus::no_cpu) {
      return fail(ExitStatus::failed,
                  fmt::format("process {} could not be read: its CPU is not allowed for this process", snapshot.pid),
                  "run awaitscope in the same cpuset as the process");
    }
    too_long = late ? k_too_long : too_long + (attempt.too_long() ? 1 : 0);
  }
  if (!read_in_pieces(target, engine, snapshot)) {
    return ended(snapshot.pid);
  }
  return snapshot;
}

} // namespace awaitscope
