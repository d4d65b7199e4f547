#pragma once

#include "awaitscope/model/process_snapshot.hpp"
#include "awaitscope/sampler/target.hpp"
#include "awaitscope/stitch/native_merge.hpp"

namespace awaitscope {

/// As take_snapshot() with MayStop::at_once, with the native frames of each thread: its registers and its stack are copied while the
/// process is stopped, and unwound afterwards. `codes` names them, and is the target's.
Result<ProcessSnapshot> take_native_snapshot(Target &target, CodeTable &codes, InterpreterFrames interpreter);

} // namespace awaitscope
