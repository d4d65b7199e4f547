#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "awaitscope/asyncio/lineage.hpp"
#include "awaitscope/sampler/native_sampler.hpp"
#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

/// What was read of one thread in one snapshot. It means something only if the thread did not run meanwhile.
struct ThreadReading {
  std::optional<ThreadEntry> subject; ///< the thread state that the thread runs in; none if it has none any more
  std::vector<Address> dead_states;   ///< those that the thread had
  PythonStack stack;
  std::vector<CallMark> calls;     ///< of the stack, if wanted; none if that is not whole
  std::vector<SeenCall> arguments; ///< of those of these calls that were not seen before, if wanted
  Lineage lineage;
  NativeCopy native;                    ///< if wanted
  std::vector<NamedTemplate> templates; ///< that the thread renders, if wanted
  ReadStatement statement;
  std::optional<std::uint64_t> context_version; ///< of the thread state: another one if contexts were entered or left
  std::optional<EventCount> count;              ///< of the thread's counter
  std::optional<Address> gil_holder;
  std::optional<std::uint64_t> generation;             ///< of the list of threads; none: it was not read
  std::optional<std::vector<ThreadEntry>> new_threads; ///< the new ones, if that is another one
  bool asyncio_unknown = false; ///< a coroutine runs in an interpreter whose asyncio is not known
};

/// Reads threads of a process from the target's current snapshot.
class ThreadReader {
public:
  ThreadReader(Target &target, RootNames names) : target_(target), names_(names) {}

  struct Wanted {
    bool count = false;      ///< the thread's counter, which it has
    bool gil_holder = false; ///< who holds the GIL
    bool calls = false;      ///< what distinguishes calls
    bool arguments = false;  ///< of new calls
    bool templates = false;
    NativeSampler *native = nullptr; ///< what native frames are made of is copied by it; null: it is not wanted
  };
  /// Into `reading`, whose memory is used again. `generation`: of the list of threads that is known.
  void read(TargetThread &thread, const Wanted &wanted, std::uint64_t generation, ThreadReading &reading);

  /// The innermost frames alone, the innermost first; none if it is in no Python code. Of `reading` only the thread's states are set.
  std::vector<RawFrame> innermost(TargetThread &thread, std::size_t count, ThreadReading &reading);

  /// Takes over, into the thread's states, what an accepted reading says of them.
  void settle(TargetThread &thread, const ThreadReading &reading);

private:
  void begin_codes(const ThreadEntry &subject);
  void choose_state(const TargetThread &thread, ThreadReading &reading);

  Target &target_;
  RootNames names_;
};

} // namespace awaitscope
