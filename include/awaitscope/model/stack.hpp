#pragma once

#include <cstdint>
#include <vector>

#include "awaitscope/model/ids.hpp"

namespace awaitscope {

enum class FrameKind : std::uint8_t {
  python,            ///< code and line are valid
  loop,              ///< a Python frame of the event loop that stands below a task
  task_border,       ///< a task begins here; code names its coroutine
  unreadable,        ///< a part of the stack that could not be read is missing here
  native,            ///< a function of machine code; code names it and its library, there is no line
  native_unreadable, ///< native frames that could not be read may be missing here
  label,             ///< what the frame before it works on; code names it, there is no line
};

/// Whether a frame has a code that names it.
constexpr bool is_named(FrameKind kind) {
  return kind != FrameKind::unreadable && kind != FrameKind::native_unreadable;
}

/// Whether it is no frame of the interpreter's, but stands among these.
constexpr bool is_inserted(FrameKind kind) {
  return kind == FrameKind::native || kind == FrameKind::native_unreadable || kind == FrameKind::label;
}

struct Frame {
  CodeId code = 0;
  std::int32_t line = 0; ///< 1-based executing line; 0 where the code has none
  FrameKind kind = FrameKind::python;

  bool operator==(const Frame &) const = default;
};

inline constexpr Frame k_unreadable_frame{0, 0, FrameKind::unreadable};
inline constexpr Frame k_native_unreadable_frame{0, 0, FrameKind::native_unreadable};

/// One interpreter frame as it lies in the target.
struct PythonFrame {
  Address address = 0;
  Frame frame;
  bool of_generator = false; ///< the frame is inside a generator, coroutine or async generator object
};

/// A thread's interpreter frames, root first. A part that could not be read is an `unreadable` frame in its place.
struct PythonStack {
  std::vector<PythonFrame> frames;
};

/// What a person means by "the stack": root task to leaf, across the tasks that await each other; root first.
/// Starts with the loop's frames (kind loop) and a task_border for each task on the way, if it runs in a task.
struct LogicalStack {
  std::vector<Frame> frames;
  bool in_task = false;
};

} // namespace awaitscope
