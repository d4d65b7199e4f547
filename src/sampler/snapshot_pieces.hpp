#pragma once

#include "awaitscope/model/process_snapshot.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

/// Reads every thread, and then all tasks, some at a time: each thread and each task as of one instant, but not of the same. For a
/// process with so many tasks that they cannot be read before it runs on. Fills in `threads`, `tasks`, `pieces`, `took_ns` and
/// `left_out`; says that the snapshot is not consistent. Ends within some seconds whatever the process does; false if that has
/// ended.
bool read_in_pieces(Target &target, Engine &engine, ProcessSnapshot &snapshot);

} // namespace awaitscope
