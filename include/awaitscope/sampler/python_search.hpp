#pragma once

#include <memory>
#include <vector>

#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

/// The Pythons of a process: itself, or where it is none (a shell, `uv run`, the launcher of a one-file program) the nearest
/// among its descendants. What a Python starts is its own affair.
struct PythonSearch {
  std::vector<std::unique_ptr<Target>> found; ///< attached to; the nearest first, then by PID
  Error why_not;                              ///< of the process itself; of no matter if that was found
};

/// `codes` outlives what is found.
PythonSearch find_pythons(ThreadId root, CodeTable &codes);

} // namespace awaitscope
