#include "layout_tables.hpp"

namespace awaitscope {
namespace {

constexpr OpcodeRow k_opcodes_3_15[] = {
#include "opcodes/3_15.inc"
};
constexpr Bytecode k_bytecode_3_15(k_opcodes_3_15,
                                   {.global_shift = 1, .attribute_shift = 1, .import_shift = 2, .subscript = 26});

void set_rules_3_15(Layout &l) {
  l.bytecode = &k_bytecode_3_15;
  set_rules_3_14(l);
  // STORE_FAST, DELETE_FAST, STORE_FAST_LOAD_FAST, STORE_FAST_STORE_FAST
  l.store_opcodes = {111, 61, 112, 113};
  l.stores_packed = true;
  // JUMP_BACKWARD, JUMP_BACKWARD_NO_INTERRUPT, JUMP_BACKWARD_JIT, JUMP_BACKWARD_NO_JIT, ENTER_EXECUTOR
  l.jump_opcodes = {74, 75, 181, 182, 0, 0, 0, 254};
  l.extended_arg = 67;
  // Include/internal/pycore_frame.h, enum _framestate: created, suspended, two that await, executing, cleared.
  l.state_executing = 4;
  l.state_finished = 5;
  l.state_awaiting_first = 2;
  l.state_awaiting_last = 3;
  l.awaited_depth = 2; // above the awaited object lies the index of a virtual iterator, or null
}

} // namespace

// CPython 3.15: frame states renumbered; asyncio is built in where distributions build it so.
Layout layout_3_15() {
  Layout l;
#include "offsets/3_15.inc"
  set_rules_3_15(l);
  return l;
}

Layout layout_3_15t() {
  Layout l;
#include "offsets/3_15t.inc"
  set_rules_3_15(l);
  set_free_threaded(l);
  return l;
}

} // namespace awaitscope
