#pragma once

#include "awaitscope/capture/snapshot_memory.hpp"
#include "awaitscope/sampler/engine.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {

/// Bounds what is read for as long as this lives.
class BoundedReads {
public:
  explicit BoundedReads(SnapshotMemory &memory) : memory_(memory) {}
  ~BoundedReads() { memory_.end_reads_at(SnapshotMemory::k_never); }
  BoundedReads(const BoundedReads &) = delete;
  BoundedReads &operator=(const BoundedReads &) = delete;

  /// A reading begins.
  void begin(std::int64_t longest_ns = Engine::k_longest_read_ns) { memory_.end_reads_at(monotonic_ns() + longest_ns); }

private:
  SnapshotMemory &memory_;
};

} // namespace awaitscope
