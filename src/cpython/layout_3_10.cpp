#include "layout_tables.hpp"

namespace awaitscope {
namespace {

constexpr OpcodeRow k_opcodes_3_10[] = {
#include "opcodes/3_10.inc"
};
constexpr Bytecode k_bytecode_3_10(k_opcodes_3_10, {.global_shift = 0, .attribute_shift = 0});

} // namespace

// CPython 3.10: as 3.9, but f_lasti counts instructions, f_stackdepth and f_state take the place of f_stacktop, and
// co_linetable (PEP 626) that of co_lnotab.
Layout layout_3_10() {
  Layout l = layout_3_9();
#include "offsets/3_10.inc"
  l.bytecode = &k_bytecode_3_10;
  l.frame_form = FrameForm::frame_object_depth;
  l.lasti_unit = 2;
  l.line_table = LineTable::line_deltas;
  return l;
}

} // namespace awaitscope
