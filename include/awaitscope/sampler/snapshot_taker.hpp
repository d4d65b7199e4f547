#pragma once

#include "awaitscope/model/process_snapshot.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

/// Reads every thread and every task. Tries for half a second to read all of them without that any thread runs meanwhile; after that
/// reads them in pieces, and marks the snapshot as not consistent. No thread is held for more than Engine::k_longest_look_ns. Fails
/// with no_target if the process ends, failed if its threads may not be reached.
Result<ProcessSnapshot> take_snapshot(Target &target, Engine &engine);

} // namespace awaitscope
