#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace awaitscope {

/// What an instruction of a minor does, as far as anyone asks; a specialised one does what it stands for.
enum class Operation : std::uint8_t {
  other,
  nothing, ///< to what is on the stack, or nothing that matters
  extended_arg,
  load_fast,
  load_fast_pair, ///< of the upper, then of the lower half of the operand
  store_fast,
  store_fast_pair, ///< the same
  store_load_fast, ///< stores into the upper, then loads the lower
  delete_fast,
  load_constant,
  load_deref,
  write_deref, ///< stores or deletes, as the next ones
  load_global,
  write_global,
  load_attribute,
  write_attribute,
  load_item, ///< NAME[key]
  write_item,
  import_name,
  import_from,
  build_list, ///< or extends the one that it builds
  build_set,
  build_map,
  operate, ///< + and *, among others
  make_function,
  call,
  return_value,
  return_constant,
  pop,    ///< drops what a statement has made
  jump,   ///< or may
  hidden, ///< another instruction stood here: what it does is not known
};

/// A row of src/cpython/opcodes.
struct OpcodeRow {
  std::uint8_t opcode;
  Operation operation;
  std::uint8_t caches; ///< words behind it that are no instructions
};

/// Where operands name what they are about otherwise than by an index.
struct OperandRules {
  std::uint8_t global_shift = 0;    ///< of LOAD_GLOBAL, down to the index into co_names
  std::uint8_t attribute_shift = 0; ///< of LOAD_ATTR
  std::uint8_t import_shift = 0;    ///< of IMPORT_NAME, the same: below it is whether the import is lazy (since 3.15)
  std::uint32_t subscript =
      UINT32_MAX; ///< of BINARY_OP, where it takes an item (NB_SUBSCR, Include/opcode.h, since 3.14)
};

/// What the instructions of a minor do.
class Bytecode {
public:
  constexpr Bytecode(std::span<const OpcodeRow> rows, OperandRules rules) : rules_(rules) {
    for (const OpcodeRow &row : rows) {
      operations_[row.opcode] = row.operation;
      caches_[row.opcode] = row.caches;
    }
  }

  struct Instruction {
    std::uint32_t position =
        0; ///< in bytes from the first one, of the instruction itself, behind what extends its operand
    Operation operation = Operation::other;
    std::uint32_t operand = 0;
  };

  /// Those of a code object, without what only extends an operand.
  [[nodiscard]] std::vector<Instruction> decode(std::span<const std::uint8_t> bytes) const;

  /// The index into co_names of an instruction that has one.
  [[nodiscard]] std::uint32_t name_of(const Instruction &instruction) const;

  /// Does it load what is then called? Since 3.11 LOAD_GLOBAL says so, since 3.12 LOAD_ATTR (the lowest bit: Python/bytecodes.c).
  [[nodiscard]] bool loads_callee(const Instruction &instruction) const;

private:
  OperandRules rules_;
  std::array<Operation, 256> operations_{};
  std::array<std::uint8_t, 256> caches_{};
};

} // namespace awaitscope
