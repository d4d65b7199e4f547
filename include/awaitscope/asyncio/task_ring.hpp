#pragma once

#include <cstddef>
#include <vector>

#include "awaitscope/capture/snapshot_memory.hpp"

namespace awaitscope {

/// The nodes of one of the rings that hold a thread's or an interpreter's tasks since 3.14 (Include/internal/pycore_llist.h: next, prev,
/// with the head in the ring).
struct TaskRing {
  std::vector<Address> nodes; ///< from the head on, without it
  bool whole = true; ///< false: it kept changing while it was read, and what lies behind the last node is missing
};

/// If a node does not name the one before it, one of the two has been linked or unlinked since it was read: both are read again, and
/// the walk goes on from further back. A ring that nobody has used yet is empty.
TaskRing read_task_ring(SnapshotMemory &memory, Address head, std::size_t most);

} // namespace awaitscope
