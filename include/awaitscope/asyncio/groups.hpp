#pragma once

#include <span>
#include <vector>

#include "awaitscope/asyncio/coroutines.hpp"
#include "awaitscope/cpython/code_cache.hpp"
#include "awaitscope/cpython/objects.hpp"
#include "awaitscope/cpython/stack_reader.hpp"

namespace awaitscope {

/// Finds the call that has entered a group of tasks (`async with TaskGroup()`), among those that the group's task is in now. The
/// group's tasks stand under that call, wherever the task is by now.
///
/// A suspended frame that has entered a context manager keeps its exit method on the value stack until it leaves it, and then
/// awaits a frame of that method. So the frame is proved by what it holds: the group's own exit, or that of a context manager
/// that is a generator (contextlib) which holds the group's, or of an AsyncExitStack that was given it. What merely knows the
/// group, in a variable or an attribute, need not have entered it. The outermost frame that holds it counts.
class GroupReader {
public:
  GroupReader(ObjectReader &objects, CodeCache &codes, StackReader &stacks, CoroutineReader &coroutines)
      : objects_(objects), codes_(codes), stacks_(stacks), coroutines_(coroutines) {}

  struct Entered {
    std::size_t depth = 1; ///< so many of the task's frames, from the outermost one on, stand above the group's tasks
    std::vector<Frame> inner; ///< and below them these, of generators
    bool leaving = false;     ///< the group's exit is under way: the task waits for the group's tasks
    bool found = false; ///< false: which call has entered it is not known, only that it is below the outermost one

    /// Appends what the group's tasks stand under, of all frames of the task.
    void append(std::span<const Frame> frames, std::vector<Frame> &above) const;
  };
  /// `frames` of a task lie at `places`, outermost first.
  Entered find(Address group, std::span<const Frame> frames, std::span<const Address> places);

private:
  bool holds_exit(Address frame, Address group, unsigned depth, std::vector<Frame> &inner);
  bool leads_to(Address function, Address manager, Address group, unsigned depth, std::vector<Frame> &inner);
  bool in_exit_stack(Address stack, Address group, unsigned depth, std::vector<Frame> &inner);
  bool is_exit(Address function);

  ObjectReader &objects_;
  CodeCache &codes_;
  StackReader &stacks_;
  CoroutineReader &coroutines_;
};

} // namespace awaitscope
