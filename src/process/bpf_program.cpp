#include "awaitscope/process/bpf_program.hpp"

#include "bpf_call.hpp"

namespace awaitscope {
namespace {

/// The code of an operation on 64 bits.
constexpr unsigned wide(unsigned operation, unsigned source) { return BPF_ALU64 | operation | source; }

constexpr unsigned k_set_to_64_bits = BPF_DW; // of the class BPF_LD, in the mode BPF_IMM, both of which are 0

} // namespace

void BpfProgram::emit(unsigned code, Register to, Register from, std::size_t offset, std::int32_t value) {
  bpf_insn instruction{};
  instruction.code = static_cast<std::uint8_t>(code);
  instruction.dst_reg = to & 0xFU;
  instruction.src_reg = from & 0xFU;
  instruction.off = static_cast<std::int16_t>(offset);
  instruction.imm = value;
  instructions_.push_back(instruction);
}

void BpfProgram::set(Register to, std::int32_t value) { emit(wide(BPF_MOV, BPF_K), to, r0, 0, value); }

void BpfProgram::set(Register to, Register from) { emit(wide(BPF_MOV, BPF_X), to, from, 0, 0); }

void BpfProgram::set_wide(Register to, std::uint64_t value) {
  emit(k_set_to_64_bits, to, r0, 0, static_cast<std::int32_t>(value & 0xFFFFFFFFU));
  emit(0, r0, r0, 0, static_cast<std::int32_t>(value >> 32U));
}

void BpfProgram::set_address(Register to, const BpfMemory &memory) {
  emit(k_set_to_64_bits, to, static_cast<Register>(BPF_PSEUDO_MAP_VALUE), 0, memory.map());
  emit(0, r0, r0, 0, 0); // the upper half: where in the value
}

void BpfProgram::load(Register to, Place from, Size size) {
  emit(BPF_LDX | BPF_MEM | static_cast<unsigned>(size), to, from.base, from.offset, 0);
}

void BpfProgram::store(Place to, Register from, Size size) {
  emit(BPF_STX | BPF_MEM | static_cast<unsigned>(size), to.base, from, to.offset, 0);
}

void BpfProgram::store(Place to, std::int32_t value, Size size) {
  emit(BPF_ST | BPF_MEM | static_cast<unsigned>(size), to.base, r0, to.offset, value);
}

void BpfProgram::add(Register to, std::int32_t value) { emit(wide(BPF_ADD, BPF_K), to, r0, 0, value); }

void BpfProgram::add(Register to, Register value) { emit(wide(BPF_ADD, BPF_X), to, value, 0, 0); }

void BpfProgram::subtract(Register to, Register value) { emit(wide(BPF_SUB, BPF_X), to, value, 0, 0); }

void BpfProgram::multiply(Register to, std::int32_t value) { emit(wide(BPF_MUL, BPF_K), to, r0, 0, value); }

void BpfProgram::multiply(Register to, Register value) { emit(wide(BPF_MUL, BPF_X), to, value, 0, 0); }

void BpfProgram::mask(Register to, std::int32_t bits) { emit(wide(BPF_AND, BPF_K), to, r0, 0, bits); }

void BpfProgram::mask(Register to, Register bits) { emit(wide(BPF_AND, BPF_X), to, bits, 0, 0); }

void BpfProgram::merge(Register to, Register bits) { emit(wide(BPF_OR, BPF_X), to, bits, 0, 0); }

void BpfProgram::change(Register to, Register bits) { emit(wide(BPF_XOR, BPF_X), to, bits, 0, 0); }

void BpfProgram::negate(Register to) { emit(wide(BPF_NEG, BPF_K), to, r0, 0, 0); }

void BpfProgram::shift_left(Register to, std::int32_t bits) { emit(wide(BPF_LSH, BPF_K), to, r0, 0, bits); }

void BpfProgram::shift_right(Register to, std::int32_t bits) { emit(wide(BPF_RSH, BPF_K), to, r0, 0, bits); }

void BpfProgram::compare_exchange(Place at, Register value) {
  emit(BPF_STX | BPF_ATOMIC | BPF_DW, at.base, value, at.offset, BPF_CMPXCHG);
}

void BpfProgram::set_map(Register to, int map) {
  emit(k_set_to_64_bits, to, static_cast<Register>(BPF_PSEUDO_MAP_FD), 0, map);
  emit(0, r0, r0, 0, 0);
}

void BpfProgram::call(bpf_func_id helper) { emit(BPF_JMP | BPF_CALL, r0, r0, 0, static_cast<std::int32_t>(helper)); }

void BpfProgram::exit() { emit(BPF_JMP | BPF_EXIT, r0, r0, 0, 0); }

BpfProgram::Label BpfProgram::label() {
  labels_.push_back(0);
  return labels_.size() - 1;
}

void BpfProgram::bind(Label label) { labels_[label] = instructions_.size(); }

void BpfProgram::jump(unsigned code, Register left, Register right, std::int32_t value, Label to) {
  jumps_.push_back({instructions_.size(), to});
  emit(BPF_JMP | code, left, right, 0, value);
}

void BpfProgram::jump(Label to) { jump(BPF_JA, r0, r0, 0, to); }

void BpfProgram::jump_if_equal(Register left, Register right, Label to) { jump(BPF_JEQ | BPF_X, left, right, 0, to); }

void BpfProgram::jump_if_equal(Register left, std::int32_t right, Label to) {
  jump(BPF_JEQ | BPF_K, left, r0, right, to);
}

void BpfProgram::jump_unless_equal(Register left, Register right, Label to) {
  jump(BPF_JNE | BPF_X, left, right, 0, to);
}

void BpfProgram::jump_unless_equal(Register left, std::int32_t right, Label to) {
  jump(BPF_JNE | BPF_K, left, r0, right, to);
}

void BpfProgram::jump_unless_less(Register left, Register right, Label to) {
  jump(BPF_JGE | BPF_X, left, right, 0, to);
}

void BpfProgram::jump_unless_less(Register left, std::int32_t right, Label to) {
  jump(BPF_JGE | BPF_K, left, r0, right, to);
}

void BpfProgram::jump_if_more(Register left, Register right, Label to) { jump(BPF_JGT | BPF_X, left, right, 0, to); }

void BpfProgram::jump_if_more(Register left, std::int32_t right, Label to) {
  jump(BPF_JGT | BPF_K, left, r0, right, to);
}

UniqueFd BpfProgram::attach_to_tracepoint(const char *name) const {
  std::vector<bpf_insn> instructions = instructions_;
  for (const Jump &jump : jumps_) {
    instructions[jump.from].off = static_cast<std::int16_t>(static_cast<std::ptrdiff_t>(labels_[jump.to]) -
                                                            static_cast<std::ptrdiff_t>(jump.from) - 1);
  }
  bpf_attr load{};
  load.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT;
  load.insns = address_of(instructions.data());
  load.insn_cnt = static_cast<std::uint32_t>(instructions.size());
  load.license = address_of("Dual MIT/GPL"); // what the helpers ask for that read memory
  const UniqueFd program(call_bpf(BPF_PROG_LOAD, load));
  if (!program.valid()) {
    return {};
  }
  bpf_attr attach{};
  attach.raw_tracepoint.name = address_of(name);
  attach.raw_tracepoint.prog_fd = static_cast<std::uint32_t>(program.get());
  return UniqueFd(call_bpf(BPF_RAW_TRACEPOINT_OPEN, attach)); // which keeps the program
}

} // namespace awaitscope
