#pragma once

#include "awaitscope/model/process_snapshot.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

/// Reads every thread and every task. Tries for about a second to find a moment in which nothing ran meanwhile; after that the
/// snapshot is marked as not consistent. Fails with no_target if the process ends, failed if a thread cannot be read.
Result<ProcessSnapshot> take_snapshot(Target &target, Engine &engine);

} // namespace awaitscope
