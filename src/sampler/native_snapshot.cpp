#include "awaitscope/sampler/native_snapshot.hpp"

#include <fmt/format.h>

#include "snapshot_native.hpp"
#include "snapshot_stopped.hpp"

namespace awaitscope {

Result<ProcessSnapshot> take_native_snapshot(Target &target, CodeTable &codes, InterpreterFrames interpreter) {
  constexpr int k_attempts = 3; // of some stops each: it may be amid something
  ProcessSnapshot snapshot;
  static_cast<ProcessDescription &>(snapshot) = target.description();
  SnapshotNative native(target, codes, interpreter);
  for (int i = 0; i < k_attempts; ++i) {
    const tl::expected<bool, StopFailure> whole = read_stopped(target, snapshot, &native);
    if (whole && *whole) {
      return snapshot;
    }
    const bool late = !whole && whole.error().reason == StopFailure::Reason::late; // it got no CPU in that time
    if (!whole && (!late || i + 1 == k_attempts)) {
      return tl::unexpected(cannot_stop(snapshot.pid, whole.error()));
    }
  }
  return fail(ExitStatus::failed, fmt::format("process {} could not be read whole while it was stopped", snapshot.pid),
              "try again, or without --native: then it is read in pieces");
}

} // namespace awaitscope
