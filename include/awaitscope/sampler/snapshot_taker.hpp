#pragma once

#include <cstdint>

#include "awaitscope/model/process_snapshot.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

/// Whether the process may be stopped to be read (ProcessStop).
enum class MayStop : std::uint8_t { never, if_needed, at_once };

/// Reads every thread and every task. Tries for a while to read all of them without that any thread runs meanwhile, for which none is
/// held for more than Engine::k_longest_read_ns. After that it stops the process, for half a second at most, if it may. What is not read
/// by then is read in pieces, and the snapshot is marked as not consistent. Fails with no_target if the process ends, failed if its
/// threads may not be reached, or as cannot_stop() if it was to be stopped at once.
Result<ProcessSnapshot> take_snapshot(Target &target, Engine &engine, MayStop may_stop);

} // namespace awaitscope
