#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <linux/bpf.h>

#include "awaitscope/process/bpf_maps.hpp"
#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope {

/// Writes a BPF program, instruction by instruction (Documentation/bpf/standardization/instruction-set.rst of the kernel).
/// All arithmetic and comparison is on 64 bits, without signs.
class BpfProgram {
public:
  enum Register : std::uint8_t { r0, r1, r2, r3, r4, r5, r6, r7, r8, r9 };
  enum class Size : std::uint8_t { byte = BPF_B, word = BPF_W, double_word = BPF_DW }; ///< 1, 4 and 8 bytes
  struct Place {
    Register base;
    std::size_t offset;
  };
  /// Where a jump goes to: made before it, bound before or after it.
  using Label = std::size_t;

  void set(Register to, std::int32_t value);
  void set(Register to, Register from);
  void set_wide(Register to, std::uint64_t value); ///< all 64 bits, where std::int32_t does not hold it
  void set_address(Register to, const BpfMemory &memory);
  void set_map(Register to, int map);
  void load(Register to, Place from, Size size = Size::double_word);
  void store(Place to, Register from, Size size = Size::double_word);
  void store(Place to, std::int32_t value, Size size = Size::double_word);
  void add(Register to, std::int32_t value);
  void add(Register to, Register value);
  void subtract(Register to, Register value);
  void multiply(Register to, std::int32_t value);
  void multiply(Register to, Register value);
  void mask(Register to, std::int32_t bits);
  void mask(Register to, Register bits);
  void merge(Register to, Register bits);  ///< or
  void change(Register to, Register bits); ///< exclusive or
  void negate(Register to);
  void shift_left(Register to, std::int32_t bits);
  void shift_right(Register to, std::int32_t bits);
  /// Stores `value` if what is there equals r0; r0 is then what was there.
  void compare_exchange(Place at, Register value);
  void call(bpf_func_id helper);
  void exit();

  Label label();
  void bind(Label label);
  void jump(Label to);
  void jump_if_equal(Register left, Register right, Label to);
  void jump_if_equal(Register left, std::int32_t right, Label to);
  void jump_unless_equal(Register left, Register right, Label to);
  void jump_unless_equal(Register left, std::int32_t right, Label to);
  void jump_unless_less(Register left, Register right, Label to);
  void jump_unless_less(Register left, std::int32_t right, Label to);
  void jump_if_more(Register left, Register right, Label to);
  void jump_if_more(Register left, std::int32_t right, Label to);

  /// Hands it to the kernel, which runs it whenever it passes the tracepoint, until the result is closed. None where it does not
  /// permit that: that takes CAP_BPF and CAP_PERFMON, or root.
  [[nodiscard]] UniqueFd attach_to_tracepoint(const char *name) const;

private:
  struct Jump {
    std::size_t from;
    Label to;
  };
  void emit(unsigned code, Register to, Register from, std::size_t offset, std::int32_t value);
  void jump(unsigned code, Register left, Register right, std::int32_t value, Label to);

  std::vector<bpf_insn> instructions_;
  std::vector<std::size_t> labels_; ///< the instruction that each is bound to
  std::vector<Jump> jumps_;
};

} // namespace awaitscope
