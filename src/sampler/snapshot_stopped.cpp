#include "snapshot_stopped.hpp"

#include <chrono>
#include <unordered_map>
#include <utility>

#include "awaitscope/capture/memory_copy.hpp"
#include "awaitscope/process/own_thread.hpp"
#include "awaitscope/support/clock.hpp"
#include "snapshot_attempt.hpp"
#include "snapshot_native.hpp"

namespace awaitscope {
namespace {

using namespace std::chrono_literals;

constexpr StopLimits k_process_limits{250ms, 600ms}; // the former of thousands of threads
constexpr std::chrono::nanoseconds k_longest_copy = 500ms;
constexpr int k_stops = 4;

/// Has the readers of a target use a copy of its memory for as long as this lives.
class CopyInUse {
public:
  CopyInUse(SnapshotMemory &memory, MemoryCopy &copy) : memory_(memory) { memory_.read_from(&copy); }
  ~CopyInUse() { memory_.read_from(nullptr); }
  CopyInUse(const CopyInUse &) = delete;
  CopyInUse &operator=(const CopyInUse &) = delete;

private:
  SnapshotMemory &memory_;
};

class StoppedReader {
public:
  StoppedReader(Target &target, ProcessSnapshot &snapshot, SnapshotNative *native)
      : target_(target), snapshot_(snapshot), native_(native) {}

  /// Reads what there is in the copy.
  bool read();
  /// Brings the copy up to date. False if there is too much to copy.
  tl::expected<bool, StopFailure> copy();

  [[nodiscard]] MemoryCopy &memory() { return copy_; }

private:
  Target &target_;
  ProcessSnapshot &snapshot_;
  SnapshotNative *native_; ///< null: native frames are not wanted
  PromptScheduling scheduling_;
  Tracer tracer_;
  MemoryCopy copy_{target_.memory().remote()};
  std::unordered_map<ThreadId, ThreadWatch::Run> runs_; ///< which threads could run before they were stopped
};

bool StoppedReader::read() {
  target_.memory().begin();
  target_.set_threads(target_.interpreters().threads());
  SnapshotAttempt attempt(target_);
  for (SnapshotAttempt::Part &part : attempt.parts()) {
    const auto known = runs_.find(part.thread->watch.tid());
    part.runnable = known == runs_.end() || known->second == ThreadWatch::Run::runnable;
  }
  const CaptureStatus status = attempt.run(snapshot_);
  const bool whole = status == CaptureStatus::captured && !copy_.grew() && !copy_.full() && target_.tasks().saw_all() &&
                     !snapshot_.threads.empty();
  if (whole && native_ != nullptr) {
    native_->merge(attempt, snapshot_);
  }
  return whole;
}

tl::expected<bool, StopFailure> StoppedReader::copy() {
  runs_.clear();
  for (TargetThread &thread : target_.threads()) {
    runs_.emplace(thread.watch.tid(), thread.watch.run());
  }
  const RaisedFor raised(scheduling_); // for as long as the process waits for it
  auto stop = ProcessStop::stop(tracer_, target_.process().pid(), k_process_limits);
  if (!stop) {
    return tl::unexpected(stop.error());
  }
  const bool copied = copy_.refresh(monotonic_ns() + k_longest_copy.count());
  if (native_ != nullptr) {
    native_->copy(*stop);
  }
  const std::optional<std::chrono::nanoseconds> stopped = stop->release();
  snapshot_.stopped_ns += stopped.value_or(k_process_limits.held).count();
  return copied && stopped;
}

} // namespace

tl::expected<bool, StopFailure> read_stopped(Target &target, ProcessSnapshot &snapshot, SnapshotNative *native) {
  StoppedReader reader(target, snapshot, native);
  const CopyInUse in_use(target.memory(), reader.memory());
  reader.read();
  for (int i = 0; i < k_stops && !reader.memory().full(); ++i) {
    const tl::expected<bool, StopFailure> copied = reader.copy();
    if (!copied || !*copied) {
      return copied;
    }
    if (reader.read()) {
      return true;
    }
  }
  return false;
}

} // namespace awaitscope
