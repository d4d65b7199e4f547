#include "awaitscope/stitch/stitch.hpp"

#include <algorithm>

namespace awaitscope {

LogicalStack stitch(const PythonStack &stack, const TaskChain *chain) {
  LogicalStack logical;
  stitch(stack, chain, logical);
  return logical;
}

void stitch(const PythonStack &stack, const TaskChain *chain, LogicalStack &logical) {
  logical.frames.clear();
  logical.in_task = false;
  const bool has_task = chain != nullptr && !chain->links.empty();
  const auto start = !has_task ? stack.frames.end()
                               : std::find_if(stack.frames.begin(), stack.frames.end(), [&](const PythonFrame &frame) {
                                   return frame.address == chain->links.front().coroutine_frame;
                                 });
  if (!has_task || start == stack.frames.end()) {
    for (const PythonFrame &frame : stack.frames) {
      logical.frames.push_back(frame.frame);
    }
    return;
  }
  logical.in_task = true;
  for (auto frame = stack.frames.begin(); frame != start; ++frame) {
    logical.frames.push_back(frame->frame);
    if (frame->frame.kind == FrameKind::python) {
      logical.frames.back().kind = FrameKind::loop;
    }
  }
  for (auto link = chain->links.rbegin(); link != chain->links.rend(); ++link) {
    if (link->unreadable_above) {
      logical.frames.push_back(k_unreadable_frame);
    }
    logical.frames.push_back({link->coroutine, 0, FrameKind::task_border});
    logical.frames.insert(logical.frames.end(), link->frames.begin(), link->frames.end());
  }
  for (auto frame = start; frame != stack.frames.end(); ++frame) {
    logical.frames.push_back(frame->frame);
  }
}

} // namespace awaitscope
