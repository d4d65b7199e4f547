#include "awaitscope/sampler/snapshot_taker.hpp"

#include <optional>

#include <unistd.h>

#include <fmt/format.h>

#include "awaitscope/support/clock.hpp"
#include "snapshot_attempt.hpp"
#include "snapshot_pieces.hpp"
#include "snapshot_stopped.hpp"

namespace awaitscope {
namespace {

/// For how long to wait until no thread runs, and how often such a pause may be too short to read all: once may be the fault
/// of a busy machine.
struct Patience {
  std::int64_t longest_ns = 0;
  int too_short = 0;
};
constexpr Patience k_patience{k_ns_per_second / 2, 3};
constexpr Patience k_patience_before_stop{k_ns_per_second / 10, 1};
constexpr unsigned k_let_go_on_us = 200;

tl::unexpected<Error> ended(ThreadId pid) {
  return fail(ExitStatus::no_target, fmt::format("process {} ended while it was read", pid),
              "start it again and give its new PID");
}

tl::unexpected<Error> out_of_reach(ThreadId pid) {
  return fail(ExitStatus::failed,
              fmt::format("process {} could not be read: its CPU is not allowed for this process", pid),
              "run awaitscope in the same cpuset as the process");
}

enum class Taken : std::uint8_t { whole, no, no_cpu };

/// Waits until no thread runs.
Result<Taken> take_between(Target &target, Engine &engine, Patience patience, ProcessSnapshot &snapshot) {
  const std::int64_t deadline = monotonic_ns() + patience.longest_ns;
  bool quiet = false; // nothing has run for as long as is waited: what takes longer to read may be read all the same
  for (int too_short = 0; too_short < patience.too_short;) {
    target.memory().begin();
    target.set_threads(target.interpreters().threads());
    SnapshotAttempt attempt(target, engine);
    if (!quiet) {
      attempt.limit_waiting(patience.longest_ns);
    }
    const CaptureStatus status = attempt.run(snapshot);
    const bool undisturbed = attempt.undisturbed();
    const bool whole = undisturbed && target.tasks().saw_all();
    const bool any = !snapshot.threads.empty(); // else it is ending, or has no Python thread just now
    if (status == CaptureStatus::captured && !attempt.too_long() && whole && any) {
      return Taken::whole;
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
    if (!quiet && attempt.too_long() && undisturbed) {
      quiet = true;
      continue;
    }
    if (late && status == CaptureStatus::no_cpu) {
      return Taken::no_cpu;
    }
    too_short = late ? patience.too_short : too_short + (attempt.too_long() ? 1 : 0);
  }
  return Taken::no;
}

} // namespace

Result<ProcessSnapshot> take_snapshot(Target &target, Engine &engine, MayStop may_stop) {
  ProcessSnapshot snapshot;
  static_cast<ProcessDescription &>(snapshot) = target.description();
  Taken taken = Taken::no;
  if (may_stop != MayStop::at_once) {
    const Result<Taken> between =
        take_between(target, engine, may_stop == MayStop::never ? k_patience : k_patience_before_stop, snapshot);
    if (!between) {
      return tl::unexpected(between.error());
    }
    taken = *between;
  }
  if (taken != Taken::whole && may_stop != MayStop::never) {
    const tl::expected<bool, StopFailure> whole = read_stopped(target, snapshot);
    if (!whole && (may_stop == MayStop::at_once || whole.error().reason == StopFailure::Reason::ended)) {
      return tl::unexpected(cannot_stop(snapshot.pid, whole.error()));
    }
    taken = whole && *whole ? Taken::whole : taken;
  }
  if (taken == Taken::no_cpu) {
    return out_of_reach(snapshot.pid);
  }
  if (taken != Taken::whole && !read_in_pieces(target, engine, snapshot)) {
    return ended(snapshot.pid);
  }
  return snapshot;
}

} // namespace awaitscope
