#pragma once

#include "awaitscope/model/stack.hpp"
#include "awaitscope/model/task.hpp"

namespace awaitscope {

/// Lays the segments of a lineage end to end, root first, into memory that is there already. Machinery (kind loop) that no task
/// stands above comes first.
void stitch(const Lineage &lineage, LogicalStack &logical);

} // namespace awaitscope
