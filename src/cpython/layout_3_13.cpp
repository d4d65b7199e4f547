#include "layout_tables.hpp"

namespace awaitscope {
namespace {

constexpr OpcodeRow k_opcodes_3_13[] = {
#include "opcodes/3_13.inc"
};
constexpr Bytecode k_bytecode_3_13(k_opcodes_3_13, {.global_shift = 1, .attribute_shift = 1});

void set_rules_3_13(Layout &l) {
  l.bytecode = &k_bytecode_3_13;
  l.owner_first_shim = 3; // FRAME_OWNED_BY_CSTACK
  l.suspend_rule = SuspendRule::frame_state;
  // STORE_FAST, DELETE_FAST, STORE_FAST_LOAD_FAST, STORE_FAST_STORE_FAST
  l.store_opcodes = {110, 65, 111, 112};
  l.stores_packed = true;
  // JUMP_BACKWARD, JUMP_BACKWARD_NO_INTERRUPT, ENTER_EXECUTOR
  l.jump_opcodes = {77, 78, 0, 0, 0, 0, 0, 70};
  l.extended_arg = 71;
  l.instance_dict = InstanceDict::inline_after_object;
  l.task_waiter_after_future = 8; // Modules/_asynciomodule.c, TaskObj: task_fut_waiter behind a word of flags
  l.task_sets = {"_scheduled_tasks", "_eager_tasks"};
}

} // namespace

// CPython 3.13: the running process has a _Py_DebugOffsets, which overlays most of this.
Layout layout_3_13() {
  Layout l;
#include "offsets/3_13.inc"
  set_rules_3_13(l);
  return l;
}

Layout layout_3_13t() {
  Layout l;
#include "offsets/3_13t.inc"
  set_rules_3_13(l);
  set_free_threaded(l);
  return l;
}

} // namespace awaitscope
