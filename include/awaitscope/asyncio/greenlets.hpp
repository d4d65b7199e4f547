#pragma once

#include <vector>

#include "awaitscope/asyncio/coroutines.hpp"
#include "awaitscope/cpython/code_cache.hpp"
#include "awaitscope/cpython/objects.hpp"
#include "awaitscope/cpython/stack_reader.hpp"

namespace awaitscope {

/// Follows a task whose step is on the stack of another greenlet than the one that its thread is in (greenlet; SQLAlchemy's
/// asyncio runs its sync code so). While a coroutine executes, the frame that it awaits names it as the one before, and is the
/// frame of an object on its value stack: so the calls from the task's coroutine down to the one that switched can be read
/// without the thread's own list of frames, and without anything of greenlet's structures, which change with each version.
class GreenletReader {
public:
  GreenletReader(ObjectReader &objects, CodeCache &codes, StackReader &stacks, CoroutineReader &coroutines)
      : objects_(objects), codes_(codes), stacks_(stacks), coroutines_(coroutines) {}

  /// Appends the frames of an executing coroutine and of those that it awaits. False unless the innermost one is itself in
  /// a greenlet's switch(): else functions may be missing below it. `places` gets where
  /// each frame lies.
  bool follow(Address coroutine, std::vector<Frame> &frames, std::vector<Address> *places = nullptr);

private:
  Address awaited(const RawFrame &raw);
  bool switches(const RawFrame &raw);

  ObjectReader &objects_;
  CodeCache &codes_;
  StackReader &stacks_;
  CoroutineReader &coroutines_;
};

} // namespace awaitscope
