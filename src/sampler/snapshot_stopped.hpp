#pragma once

#include "awaitscope/model/process_snapshot.hpp"
#include "awaitscope/process/thread_stop.hpp"
#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

class SnapshotNative;

/// Stops the process for as long as it takes to copy the memory that a reading needs, and reads that afterwards. Which memory that is, a
/// reading of the process while it runs has shown. If it was other memory, that is copied as well the next time, a few times. False if it
/// was not enough, there was more than can be copied in half a second, or the process was amid a change of what is read. With native
/// frames, if `native` is not null.
tl::expected<bool, StopFailure> read_stopped(Target &target, ProcessSnapshot &snapshot,
                                             SnapshotNative *native = nullptr);

} // namespace awaitscope
