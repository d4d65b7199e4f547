#include "layout_tables.hpp"

namespace awaitscope {
namespace {

constexpr OpcodeRow k_opcodes_3_9[] = {
#include "opcodes/3_9.inc"
};
constexpr Bytecode k_bytecode_3_9(k_opcodes_3_9, {.global_shift = 0, .attribute_shift = 0});

} // namespace

// CPython 3.9: as 3.8, at other offsets.
Layout layout_3_9() {
  Layout l = layout_3_8();
#include "offsets/3_9.inc"
  l.bytecode = &k_bytecode_3_9;
  return l;
}

} // namespace awaitscope
