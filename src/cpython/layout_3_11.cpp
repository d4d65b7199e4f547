#include "layout_tables.hpp"

namespace awaitscope {
namespace {

constexpr OpcodeRow k_opcodes_3_11[] = {
#include "opcodes/3_11.inc"
};
constexpr Bytecode k_bytecode_3_11(k_opcodes_3_11, {.global_shift = 1, .attribute_shift = 0});

} // namespace

// CPython 3.11: frames lie in the thread's data stack, or in the coroutine (Include/internal/pycore_frame.h).
Layout layout_3_11() {
  Layout l;
#include "offsets/3_11.inc"
  l.bytecode = &k_bytecode_3_11;
  l.suspend_rule = SuspendRule::resume_oparg;
  l.await_opcodes = {151, 150};           // RESUME, RESUME_QUICK
  l.store_opcodes = {125, 126, 161, 167}; // STORE_FAST, DELETE_FAST, STORE_FAST__LOAD_FAST, STORE_FAST__STORE_FAST
  // JUMP_BACKWARD, JUMP_BACKWARD_NO_INTERRUPT, POP_JUMP_BACKWARD_IF_…, JUMP_BACKWARD_QUICK
  l.jump_opcodes = {140, 134, 173, 174, 175, 176, 38};
  l.code_identity = CodeIdentity::texts;
  l.long_tag_is_size = true;
  l.instance_dict = InstanceDict::values_before;
  l.loop_holder_loop = l.sizeof_object; // Modules/_asynciomodule.c, PyRunningLoopHolder.rl_loop
  l.task_sets = {"_all_tasks"};
  return l;
}

} // namespace awaitscope
