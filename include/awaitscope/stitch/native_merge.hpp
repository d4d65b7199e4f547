#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "awaitscope/model/native_stack.hpp"
#include "awaitscope/model/stack.hpp"
#include "awaitscope/model/task.hpp"
#include "awaitscope/stitch/stitch.hpp"

namespace awaitscope {

enum class InterpreterFrames : std::uint8_t { fold, keep };

/// Where native frames stand among the frames of a Python stack.
struct NativeMerge {
  FramesBetween before;
  NativeLoss loss =
      NativeLoss::none; ///< why some are missing; each place is marked by a frame of kind native_unreadable
};

/// Places the native frames of a thread among its Python frames, of which there are `count`, by the evaluations that these were run
/// in: a native frame of the interpreter's loop stands for the Python frames that it runs.
///
/// - Where an evaluation says what it keeps on the C stack (CPython 3.11+), its native frame is the one whose part of the stack that
///   is: no name is needed, and where the stack could be unwound in part only, that part is placed.
/// - Else the native frames of the loop are those of the Python frames, one by one, from the root on. One more at the leaf is an
///   evaluation that begins or ends.
///
/// Where they are not each other's, there is the mark alone, behind the last Python frame: these stay as they are.
NativeMerge merge_native(std::size_t count, std::span<const Evaluation> evaluations, const NativeStack &native,
                         InterpreterFrames interpreter);

} // namespace awaitscope
