#pragma once

#include <vector>

#include "awaitscope/cpython/stack_reader.hpp"
#include "awaitscope/model/native_stack.hpp"

namespace awaitscope {

/// The evaluations that run the frames of the stack that `stacks` has read last, root first: of this thread state, from the same
/// snapshot. None if that stack was not whole.
std::vector<Evaluation> evaluations_of(const StackReader &stacks, ObjectReader &objects, Address thread_state);

} // namespace awaitscope
