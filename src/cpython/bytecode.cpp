#include "awaitscope/cpython/bytecode.hpp"

namespace awaitscope {

std::vector<Bytecode::Instruction> Bytecode::decode(std::span<const std::uint8_t> bytes) const {
  std::vector<Instruction> instructions;
  instructions.reserve(bytes.size() / 2);
  std::uint32_t operand = 0;
  for (std::size_t at = 0; at + 1 < bytes.size(); at += 2) {
    operand = operand << 8U | bytes[at + 1];
    const Operation operation = operations_[bytes[at]];
    if (operation == Operation::extended_arg) {
      continue;
    }
    const bool takes_item = operation == Operation::operate && operand == rules_.subscript;
    instructions.push_back({static_cast<std::uint32_t>(at), takes_item ? Operation::load_item : operation, operand});
    operand = 0;
    at += std::size_t{2} * caches_[bytes[at]];
  }
  return instructions;
}

std::uint32_t Bytecode::name_of(const Instruction &instruction) const {
  switch (instruction.operation) {
  case Operation::load_global:
    return instruction.operand >> rules_.global_shift;
  case Operation::load_attribute:
    return instruction.operand >> rules_.attribute_shift;
  case Operation::import_name:
    return instruction.operand >> rules_.import_shift;
  default:
    return instruction.operand;
  }
}

bool Bytecode::loads_callee(const Instruction &instruction) const {
  const std::uint8_t shift = instruction.operation == Operation::load_global      ? rules_.global_shift
                             : instruction.operation == Operation::load_attribute ? rules_.attribute_shift
                                                                                  : 0;
  return shift > 0 && (instruction.operand & 1U) != 0;
}

} // namespace awaitscope
