#pragma once

#include <vector>

#include "awaitscope/cpython/code_cache.hpp"
#include "awaitscope/cpython/objects.hpp"
#include "awaitscope/cpython/stack_reader.hpp"

namespace awaitscope {

/// Reads the Python calls that a greenlet is in while it waits, that is while it has switched away. No thread has them on its
/// stack then; the greenlet keeps the innermost frame.
class SuspendedGreenletReader {
public:
  SuspendedGreenletReader(ObjectReader &objects, CodeCache &codes, StackReader &stacks)
      : objects_(objects), codes_(codes), stacks_(stacks) {}

  struct Call {
    Frame frame;
    RawFrame raw; ///< without meaning where the frame is unreadable
  };

  /// Of a greenlet that waits in a function which its own one has called: outermost first. Where the calls of it, or those
  /// towards its root, cannot be read, one unreadable frame stands for them. Empty if the object is no greenlet.
  std::vector<Call> calls(Address object);

private:
  [[nodiscard]] Address top_frame(Address greenlet, const TypeInfo &type);

  ObjectReader &objects_;
  CodeCache &codes_;
  StackReader &stacks_;
};

} // namespace awaitscope
