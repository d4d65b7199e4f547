#include "awaitscope/stitch/stitch.hpp"

namespace awaitscope {

void stitch(const Lineage &lineage, LogicalStack &logical) {
  logical.frames.clear();
  logical.in_task = lineage.root_thread == 0 && !lineage.segments.empty();
  for (auto segment = lineage.segments.rbegin(); segment != lineage.segments.rend(); ++segment) {
    if (segment->missing_above) {
      logical.frames.push_back(k_unreadable_frame);
    }
    if (segment->begins_task) {
      logical.frames.push_back({segment->coroutine, 0, FrameKind::task_border});
    }
    logical.frames.insert(logical.frames.end(), segment->frames.begin(), segment->frames.end());
  }
}

} // namespace awaitscope
