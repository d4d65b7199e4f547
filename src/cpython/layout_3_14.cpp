#include "layout_tables.hpp"

namespace awaitscope {
namespace {

constexpr OpcodeRow k_opcodes_3_14[] = {
#include "opcodes/3_14.inc"
};
constexpr Bytecode k_bytecode_3_14(k_opcodes_3_14, {.global_shift = 1, .attribute_shift = 1, .subscript = 26});

} // namespace

void set_rules_3_14(Layout &l) {
  l.frame_form = FrameForm::stackpointer;
  l.reference_tag = 7;    // Include/internal/pycore_stackref.h: low bits of a _PyStackRef
  l.owner_first_shim = 3; // FRAME_OWNED_BY_INTERPRETER, FRAME_OWNED_BY_CSTACK
  l.suspend_rule = SuspendRule::frame_state;
  // STORE_FAST, DELETE_FAST, STORE_FAST_LOAD_FAST, STORE_FAST_STORE_FAST
  l.store_opcodes = {112, 63, 113, 114};
  l.stores_packed = true;
  // JUMP_BACKWARD, JUMP_BACKWARD_NO_INTERRUPT, JUMP_BACKWARD_JIT, JUMP_BACKWARD_NO_JIT, ENTER_EXECUTOR
  l.jump_opcodes = {75, 76, 175, 176, 0, 0, 0, 255};
  l.extended_arg = 69;
  l.instance_dict = InstanceDict::inline_after_object;
  l.task_registry = TaskRegistry::thread_lists;
  l.task_waiter_after_future = 8;
  l.task_node_after_waiter = 32;
  l.task_sets = {"_scheduled_tasks", "_eager_tasks"}; // those of other implementations
}

// CPython 3.14: a stack of tagged references; asyncio's tasks in lists of the threads that run them.
Layout layout_3_14() {
  Layout l;
#include "offsets/3_14.inc"
  set_rules_3_14(l);
  l.bytecode = &k_bytecode_3_14;
  return l;
}

Layout layout_3_14t() {
  Layout l;
#include "offsets/3_14t.inc"
  set_rules_3_14(l);
  l.bytecode = &k_bytecode_3_14;
  set_free_threaded(l);
  return l;
}

} // namespace awaitscope
