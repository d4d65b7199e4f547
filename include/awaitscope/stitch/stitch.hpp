#pragma once

#include <vector>

#include "awaitscope/model/stack.hpp"
#include "awaitscope/model/task.hpp"

namespace awaitscope {

/// Lays the segments of a lineage end to end, root first, into memory that is there already. Machinery (kind loop) that no task
/// stands above comes first.
void stitch(const Lineage &lineage, LogicalStack &logical);

/// What stands among the frames of a thread's Python stack, one more than there are of these: what is right before each, and behind the
/// last one; root first.
using FramesBetween = std::vector<std::vector<Frame>>;

/// Puts it among the thread's own frames in its lineage: each behind the Python frame that it belongs to.
void insert_frames(const FramesBetween &between, Lineage &lineage);

} // namespace awaitscope
