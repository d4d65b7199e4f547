#include "layout_tables.hpp"

namespace awaitscope {
namespace {

constexpr OpcodeRow k_opcodes_3_8[] = {
#include "opcodes/3_8.inc"
};
constexpr Bytecode k_bytecode_3_8(k_opcodes_3_8, {.global_shift = 0, .attribute_shift = 0});

} // namespace

// CPython 3.8: frames are objects on the heap (Include/frameobject.h), one GIL for the process, names without classes.
Layout layout_3_8() {
  Layout l;
#include "offsets/3_8.inc"
  l.bytecode = &k_bytecode_3_8;
  l.frame_form = FrameForm::frame_object_top;
  l.suspend_rule = SuspendRule::yield_from_opcode;
  l.await_opcodes = {72, 72};   // YIELD_FROM
  l.store_opcodes = {125, 126}; // STORE_FAST, DELETE_FAST
  // JUMP_ABSOLUTE, POP_JUMP_IF_FALSE, POP_JUMP_IF_TRUE, JUMP_IF_FALSE_OR_POP, JUMP_IF_TRUE_OR_POP
  l.jump_opcodes = {113, 114, 115, 111, 112};
  l.jumps_relative = false;
  l.line_table = LineTable::lnotab;
  l.code_identity = CodeIdentity::texts;
  l.has_qualname = false;
  l.long_tag_is_size = true;
  l.keys_form = DictKeys::counted;
  l.instance_dict = InstanceDict::at_dict_offset;
  l.managed_dict_flag = 0;
  l.loop_holder_loop = l.sizeof_object; // Modules/_asynciomodule.c, PyRunningLoopHolder.rl_loop
  l.task_sets = {"_all_tasks"};
  return l;
}

} // namespace awaitscope
