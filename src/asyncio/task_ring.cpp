#include "awaitscope/asyncio/task_ring.hpp"

#include <array>

namespace awaitscope {

TaskRing read_task_ring(SnapshotMemory &memory, Address head, std::size_t most) {
  constexpr std::size_t k_node = 16;
  constexpr int k_most_repairs = 256;
  TaskRing ring;
  for (int repairs = 0; ring.nodes.size() < most;) {
    const Address last = ring.nodes.empty() ? head : ring.nodes.back();
    const Address node = memory.pointer(last);
    if (node == head || (node == 0 && last == head)) {
      return ring;
    }
    if (memory.pointer(node + 8) == last) {
      ring.nodes.push_back(node);
      continue;
    }
    if (++repairs > k_most_repairs) {
      break;
    }
    const std::array<RemoteRange, 2> both{{{last, k_node}, {node, k_node}}};
    memory.refetch(both);
    const bool mended = memory.pointer(memory.pointer(last) + 8) == last;
    if (!mended && !ring.nodes.empty()) { // the last one is in the ring no more
      ring.nodes.pop_back();
    }
  }
  ring.whole = false;
  return ring;
}

} // namespace awaitscope
