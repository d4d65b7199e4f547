#pragma once

#include <unordered_map>

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
      : process_(target.process()), reader_(process_, codes), interpreter_(interpreter) {}

  /// The registers and stacks of all threads, as long as they are stopped; in place of those copied before.
  void copy(const ProcessStop &stop);

  /// Unwinds what was copied, and puts it into the attempt's threads, read during the same stop, and the snapshot.
  void merge(SnapshotAttempt &attempt, ProcessSnapshot &snapshot);

private:
  const Process &process_;
  NativeReader reader_;
  InterpreterFrames interpreter_;
  std::unordered_map<ThreadId, RegistersAndStack> copies_;
};

} // namespace awaitscope
