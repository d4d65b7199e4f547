#include "snapshot_stopped.hpp"

#include <chrono>
#include <unordered_map>
#include <utility>

#include "bounded_reads.hpp"
#include "snapshot_attempt.hpp"
#include "snapshot_native.hpp"

namespace awaitscope {
namespace {

using namespace std::chrono_literals;

constexpr StopLimits k_limits{250ms, 600ms}; // the former of thousands of threads
constexpr std::chrono::nanoseconds k_longest_read = 500ms;

} // namespace

tl::expected<bool, StopFailure> read_stopped(Target &target, Engine &engine, ProcessSnapshot &snapshot,
                                             SnapshotNative *native) {
  std::unordered_map<ThreadId, ThreadWatch::Run> before; // one that is stopped does not say it any more
  for (TargetThread &thread : target.threads()) {
    before.emplace(thread.watch.tid(), thread.watch.run());
  }
  Tracer tracer;
  auto stop = ProcessStop::stop(tracer, target.process().pid(), k_limits);
  if (!stop) {
    return tl::unexpected(stop.error());
  }
  BoundedReads reads(target.memory());
  reads.begin(k_longest_read.count());
  target.memory().begin();
  target.set_threads(target.interpreters().threads());
  SnapshotAttempt attempt(target, engine);
  for (SnapshotAttempt::Part &part : attempt.parts()) {
    const auto known = before.find(part.thread->watch.tid());
    part.runnable = known == before.end() || known->second == ThreadWatch::Run::runnable;
  }
  const CaptureStatus status = attempt.run(snapshot);
  if (native != nullptr) {
    native->copy(attempt, *stop);
  }
  const std::optional<std::chrono::nanoseconds> stopped = stop->release();
  snapshot.stopped_ns += stopped.value_or(k_limits.held).count();
  const bool whole = stopped && status == CaptureStatus::captured && !attempt.too_long() && target.tasks().saw_all() &&
                     !snapshot.threads.empty();
  if (whole && native != nullptr) {
    native->merge(attempt, snapshot);
  }
  return whole;
}

} // namespace awaitscope
