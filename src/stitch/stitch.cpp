#include "awaitscope/stitch/stitch.hpp"

#include <vector>

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

void insert_frames(const FramesBetween &between, Lineage &lineage) {
  std::vector<Frame> merged;
  const auto append = [&merged](const std::vector<Frame> &frames) {
    merged.insert(merged.end(), frames.begin(), frames.end());
  };
  for (StackSegment &segment : lineage.segments) {
    merged.clear();
    std::size_t next = 0;
    for (const OwnFrames &own : segment.own) {
      for (; next < own.at; ++next) { // not of this thread's stack
        merged.push_back(segment.frames[next]);
      }
      for (std::size_t i = own.first; i < own.first + own.count; ++i) {
        if (i == 0) {
          append(between[0]);
        }
        merged.push_back(segment.frames[next++]);
        append(between[i + 1]);
      }
    }
    if (!segment.own.empty()) {
      merged.insert(merged.end(), segment.frames.begin() + static_cast<std::ptrdiff_t>(next), segment.frames.end());
      segment.frames = merged;
    }
    segment.own.clear(); // they are where they were no more
  }
}

} // namespace awaitscope
