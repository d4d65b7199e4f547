#include "layout_tables.hpp"

namespace awaitscope {
namespace {

constexpr OpcodeRow k_opcodes_3_12[] = {
#include "opcodes/3_12.inc"
};
constexpr Bytecode k_bytecode_3_12(k_opcodes_3_12, {.global_shift = 1, .attribute_shift = 1});

} // namespace

// CPython 3.12: a GIL for each interpreter, eager tasks, code objects with versions.
Layout layout_3_12() {
  Layout l;
#include "offsets/3_12.inc"
  l.bytecode = &k_bytecode_3_12;
  l.is_next_code_version = k_absent; // counts functions; Objects/codeobject.c, init_code() takes this one:
  l.next_code_version_symbol = "_Py_next_func_version";
  l.owner_first_shim = 3; // FRAME_OWNED_BY_CSTACK
  l.suspend_rule = SuspendRule::resume_oparg;
  l.await_opcodes = {151, 240};           // RESUME, INSTRUMENTED_RESUME
  l.store_opcodes = {125, 126, 154, 158}; // STORE_FAST, DELETE_FAST, STORE_FAST__LOAD_FAST, STORE_FAST__STORE_FAST
  l.jump_opcodes = {140, 134};            // JUMP_BACKWARD, JUMP_BACKWARD_NO_INTERRUPT
  l.instance_dict = InstanceDict::tagged_before;
  l.task_sets = {"_scheduled_tasks", "_eager_tasks"};
  return l;
}

} // namespace awaitscope
