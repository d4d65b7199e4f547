#include "awaitscope/sampler/stop_engine.hpp"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "awaitscope/process/thread_stop.hpp"
#include "awaitscope/support/clock.hpp"
#include "bounded_reads.hpp"

namespace awaitscope {
namespace {

constexpr std::chrono::nanoseconds k_longest_read(Engine::k_longest_read_ns);
constexpr StopLimits k_thread_limits{k_longest_read, 2 * k_longest_read};
constexpr const char *k_price =
    "each sample stops a thread; shares are bent near system calls, which are seen too often";

CaptureStatus status_of(const StopFailure &failure, const Process &process) {
  if (failure.reason != StopFailure::Reason::ended) {
    return CaptureStatus::unstopped;
  }
  return process.alive() ? CaptureStatus::ended : CaptureStatus::failed;
}

} // namespace

Capture StoppedThreads::capture(Target &target, TargetThread &thread, const std::optional<SchedStat> &known,
                                const std::function<void()> &read) {
  Capture capture;
  auto stop = ThreadStop::stop(tracer_, target.process().pid(), thread.watch.tid(), k_thread_limits);
  if (!stop) {
    capture.status = status_of(stop.error(), target.process());
    return capture;
  }
  if (known && !thread.on_cpu) {
    thread.on_cpu = was_on_cpu_since(thread);
  }
  BoundedReads reads(target.memory());
  reads.begin();
  const ReadStatus began = target.memory().begin();
  if (began == ReadStatus::gone || began == ReadStatus::denied) {
    capture.status = CaptureStatus::failed;
    return capture;
  }
  read();
  if (const std::optional<std::chrono::nanoseconds> stopped = stop->release()) {
    capture.read_ns = stopped->count();
    capture.status = CaptureStatus::captured;
  }
  return capture;
}

Result<void> StoppedThreads::check(ThreadId pid) {
  Tracer tracer;
  const auto stop = ThreadStop::stop(tracer, pid, pid, k_thread_limits);
  if (stop || stop.error().reason == StopFailure::Reason::ended || stop.error().reason == StopFailure::Reason::late) {
    return {}; // the first thread may have ended, or sleep
  }
  return tl::unexpected(cannot_stop(pid, stop.error()));
}

void StopEngine::rest_if_long() { scheduling_.lower_after(k_longest_tick_ns); }

std::string StopEngine::take_note() {
  return std::exchange(noted_, true) ? std::string() : fmt::format("engine stop: {}", k_price);
}

Capture StopEngine::capture(Target &target, TargetThread &thread, const std::optional<SchedStat> &known,
                            const std::function<void()> &read) {
  const RaisedFor raised(scheduling_); // it sleeps until the thread has stopped
  const Capture capture = stopped_.capture(target, thread, known, read);
  add_held(capture.read_ns);
  return capture;
}

std::string PreemptOrStopEngine::name() const {
  if (!stopped_any_) {
    return PreemptEngine::name();
  }
  return preempted_any_ ? PreemptEngine::name() + "+stop" : "stop";
}

std::string PreemptOrStopEngine::take_note() {
  if (!stopped_any_ || std::exchange(noted_, true)) {
    return {};
  }
  return fmt::format(
      "engine stop: the process runs on a CPU that this one may not use, so that {}; run awaitscope in the "
      "same cpuset",
      k_price);
}

Capture PreemptOrStopEngine::capture(Target &target, TargetThread &thread, const std::optional<SchedStat> &known,
                                     const std::function<void()> &read) {
  const Capture preempted = PreemptEngine::capture(target, thread, known, read);
  if (preempted.status != CaptureStatus::no_cpu) {
    preempted_any_ = preempted_any_ || preempted.status == CaptureStatus::captured;
    return preempted;
  }
  const Capture capture = stopped_.capture(target, thread, known, read);
  if (capture.status == CaptureStatus::unstopped) {
    return preempted;
  }
  stopped_any_ = stopped_any_ || capture.status == CaptureStatus::captured;
  add_held(capture.read_ns);
  return capture;
}

} // namespace awaitscope
