#pragma once

#include "awaitscope/integrations/idle_places.hpp"
#include "awaitscope/sampler/thread_reader.hpp"

namespace awaitscope {

/// Idle or blocked: of a thread that waits, with this stack.
ThreadState waiting_state(IdlePlaces &places, const PythonStack &stack);

/// Of a thread that waits: does it for the GIL of its interpreter? As of when it was last asked (ThreadWatch::run()).
bool waits_for_gil(Target &target, const TargetThread &thread);

/// Finds out where threads wait, and reads the stacks of those that do not wait for work. Nothing is held for it: a thread that
/// did not run from before the first read to after the last one (the third field of its schedstat) was what it was read to be.
/// What was found stays right until that field moves, so a thread that goes on waiting is not read again. One that waited for work
/// and is at the same instruction of the same frames waits for work again.
class WaitReader {
public:
  /// `all`: read the stacks of threads that wait for work, too.
  WaitReader(Target &target, ThreadReader &reader, bool all)
      : target_(target), reader_(reader), all_(all), places_(target.codes()), memory_(target.memory().remote()) {}

  enum class Found : std::uint8_t {
    known, ///< it still waits where it did
    state, ///< `wait` says how it waits; its stack was not wanted
    stack, ///< and the reading has its stack
    woken, ///< it runs
  };
  /// Of a thread that waited when it was asked, with its schedstat. Sets `wait`.
  Found update(TargetThread &thread, const ThreadReader::Wanted &wanted, std::uint64_t generation,
               ThreadReading &reading);

  /// Of a reading that was made otherwise.
  [[nodiscard]] ThreadState state_of(const ThreadReading &reading) { return waiting_state(places_, reading.stack); }

private:
  bool read(TargetThread &thread, const ThreadReader::Wanted &wanted, std::uint64_t generation, ThreadReading &reading);
  bool is_idle_again(const TargetThread &thread);
  bool waits_for_work(const std::vector<RawFrame> &innermost);

  Target &target_;
  ThreadReader &reader_;
  bool all_;
  IdlePlaces places_;
  SnapshotMemory memory_; ///< in which these threads are read
};

} // namespace awaitscope
