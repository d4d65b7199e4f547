#pragma once

#include <optional>
#include <vector>

#include "awaitscope/process/thread_stop.hpp"
#include "awaitscope/sampler/native_reader.hpp"
#include "awaitscope/sampler/target.hpp"
#include "awaitscope/stitch/native_merge.hpp"
#include "snapshot_attempt.hpp"

namespace awaitscope {

/// The native frames of a snapshot's threads.
class SnapshotNative {
public:
  SnapshotNative(Target &target, CodeTable &codes, InterpreterFrames interpreter)
      : reader_(target.process(), codes), interpreter_(interpreter) {}

  /// Of the threads of this attempt, as long as they are stopped.
  void copy(SnapshotAttempt &attempt, const ProcessStop &stop);

  /// Unwinds what was copied, and puts it into the attempt's threads and the snapshot. The process may run again.
  void merge(SnapshotAttempt &attempt, ProcessSnapshot &snapshot);

private:
  NativeMerge merge_part(const SnapshotAttempt::Part &part, const std::optional<RegistersAndStack> &copy);

  NativeReader reader_;
  InterpreterFrames interpreter_;
  std::vector<std::optional<RegistersAndStack>> copies_; ///< of each part
};

} // namespace awaitscope
