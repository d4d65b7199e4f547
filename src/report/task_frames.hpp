#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "awaitscope/model/stack.hpp"

namespace awaitscope {

/// Where a task's own frames begin: behind the last border.
std::size_t begin_of_own(const std::vector<Frame> &frames);

/// The Python frames that are the task's own.
std::vector<Frame> own_frames(std::vector<Frame> frames);

/// Nanoseconds, by what was waited for.
using Waits = std::vector<std::pair<CodeId, std::uint64_t>>;
void add_wait(Waits &waits, CodeId code, std::uint64_t nanoseconds);

} // namespace awaitscope
