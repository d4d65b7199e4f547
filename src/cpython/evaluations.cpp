#include "awaitscope/cpython/evaluations.hpp"

namespace awaitscope {
namespace {

using Known = StackReader::Known;

/// Whether an evaluation begins with this frame. Up to 3.10 each frame has its own; 3.11 marks the first of each; later ones have a
/// frame for it that runs no code (owner_first_shim) and lies on the C stack, but for the one at the root, which since 3.15 lies behind
/// the thread state (Include/internal/pycore_tstate.h, _PyThreadStateImpl.base_frame).
bool begins_evaluation(const Known &known, const Layout &layout, Address thread_state) {
  if (layout.if_generator != k_absent) {
    return true;
  }
  constexpr Address k_thread_state = 64 * 1024; // more than a _PyThreadStateImpl takes, free-threaded ones too
  return known.entry && !(known.shim && known.address - thread_state < k_thread_state);
}

} // namespace

std::vector<Evaluation> evaluations_of(const StackReader &stacks, ObjectReader &objects, Address thread_state) {
  const Layout &layout = objects.layout();
  std::vector<Evaluation> evaluations;
  std::size_t index = 0;
  for (const Known &known : stacks.last()) {
    if (begins_evaluation(known, layout, thread_state)) {
      evaluations.push_back({known.shim ? known.address : 0, index});
    }
    index += known.shim || known.internal ? 0 : 1;
  }
  if (layout.if_is_entry == k_absent) {
    return evaluations;
  }
  // Python/ceval.c of 3.11, _PyEval_EvalFrameDefault(): each has a _PyCFrame, the innermost of which the thread state points to.
  SnapshotMemory &memory = objects.memory();
  Address cframe = memory.pointer(thread_state + layout.ts_cframe);
  for (auto evaluation = evaluations.rbegin(); evaluation != evaluations.rend() && cframe != 0; ++evaluation) {
    evaluation->on_stack = cframe;
    cframe = memory.pointer(cframe + layout.cframe_previous);
  }
  return evaluations;
}

} // namespace awaitscope
