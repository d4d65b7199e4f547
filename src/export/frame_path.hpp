#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/model/stack.hpp"

namespace awaitscope {

struct PathPart {
  std::string text;
  bool library = false; ///< several frames of libraries
};

/// The frames of a task, outermost first: "app.py:6", "b:5", "… 14 django frames", "leaf (db.py:2)". Lines are those being executed, files
/// stand where they change, the coroutine's own frame goes without its name, two or more frames of libraries in a row are one part.
std::vector<PathPart> path_parts(const std::vector<Frame> &frames, CodeId coroutine, const CodeTable &codes);

/// The parts with arrows between them, in at most so many columns. Where they do not fit, those of libraries give way first, then the
/// middle; the last one stays as long as there is room for it. Empty if there is no room for anything.
std::string fitted_path(const std::vector<PathPart> &parts, std::size_t columns);

/// "asyncio.queues.Queue.get": a function of a library as it is imported; empty for one of the program's own.
std::string library_function(const CodeInfo &code);

} // namespace awaitscope
