#pragma once

#include "awaitscope/model/process_snapshot.hpp"
#include "awaitscope/process/thread_stop.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

class SnapshotNative;

/// Stops the process and reads it. False if it is not read whole: there was no time for all, or it was amid a change of what is to be
/// read. With native frames, if `native` is not null.
tl::expected<bool, StopFailure> read_stopped(Target &target, Engine &engine, ProcessSnapshot &snapshot,
                                             SnapshotNative *native = nullptr);

} // namespace awaitscope
