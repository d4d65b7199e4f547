#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "awaitscope/model/stack.hpp"
#include "awaitscope/report/call_spans.hpp"

namespace awaitscope {

/// Where a task's own frames begin: behind the last border.
std::size_t begin_of_own(const std::vector<Frame> &frames);

/// The Python frames that are the task's own.
std::vector<Frame> own_frames(std::vector<Frame> frames);

/// Adds to the time of the same kind in the same coroutine.
void add_wait(std::vector<AwaitedTime> &waits, const AwaitedTime &time);

} // namespace awaitscope
