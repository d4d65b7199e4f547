#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "awaitscope/model/ids.hpp"

namespace awaitscope {

/// What unwinding starts from: a thread's registers, and its stack from the stack pointer on, both read while it did not run.
struct RegistersAndStack {
  // DWARF's numbers (System V ABI, AMD64, figure 3.36): rax, rdx, rcx, rbx, rsi, rdi, rbp, rsp, r8 to r15, and the return address.
  static constexpr std::size_t k_frame_pointer = 6, k_stack_pointer = 7, k_instruction = 16, k_registers = 17;

  std::array<std::uint64_t, k_registers> registers{};
  std::vector<std::byte> stack; ///< from the stack pointer on

  [[nodiscard]] Address stack_pointer() const { return registers[k_stack_pointer]; }
  [[nodiscard]] Address instruction() const { return registers[k_instruction]; }
};

/// Why native frames are missing.
enum class NativeLoss : std::uint8_t {
  none,
  no_unwind_info, ///< nothing says how to leave the function
  short_stack,    ///< the copied stack ends before the thread's does
  bad_address,    ///< a return address leads to no code, or a rule to memory that is not there
  loop,           ///< the stack pointer did not move towards the root
  limit,          ///< too many frames, or too much work
  not_stopped,    ///< the thread could not be stopped to read its registers
  no_registers,   ///< it has not run since the recording began, so that its registers are not known
  mismatch,       ///< the native frames are not those of the Python stack
  count_,
};

inline constexpr std::size_t k_native_losses = static_cast<std::size_t>(NativeLoss::count_);

constexpr std::string_view name_of(NativeLoss loss) {
  switch (loss) {
  case NativeLoss::no_unwind_info:
    return "no unwind information";
  case NativeLoss::short_stack:
    return "stack too long";
  case NativeLoss::bad_address:
    return "bad address";
  case NativeLoss::loop:
    return "loop";
  case NativeLoss::limit:
    return "limit";
  case NativeLoss::not_stopped:
    return "not stopped";
  case NativeLoss::no_registers:
    return "not run since";
  case NativeLoss::mismatch:
    return "frames do not match";
  default:
    return "none";
  }
}

/// What a native function is to a Python stack.
enum class NativeRole : std::uint8_t {
  code,        ///< of a library, or of the interpreter's own types and modules
  evaluation,  ///< the interpreter's loop: it runs Python frames
  interpreter, ///< how the interpreter calls functions
  start,       ///< how a program or a thread begins
};

struct NativeFrame {
  Address instruction = 0; ///< in the function: of a caller, one byte before the return address
  Address stack_begin = 0; ///< its part of the stack; ends where its caller's begins
  Address stack_end = 0;
  CodeId code = 0; ///< names it, as SYMBOL and LIBRARY
  NativeRole role = NativeRole::code;
};

/// Leaf first. If `loss` is not none, the frames towards the root are missing.
struct NativeStack {
  std::vector<NativeFrame> frames;
  NativeLoss loss = NativeLoss::none;
};

/// How often native frames were wanted, and why some are missing.
struct NativeCounts {
  std::uint64_t stacks = 0;
  std::array<std::uint64_t, k_native_losses> lost{};

  void add(NativeLoss loss) {
    ++stacks;
    lost[static_cast<std::size_t>(loss)] += loss == NativeLoss::none ? 0 : 1;
  }
  /// "2 of 7: stack too long; …", or empty if none is missing.
  [[nodiscard]] std::string text() const;
};

/// An evaluation of Python code: a call of the interpreter's loop. One may run many Python frames, called by each other.
struct Evaluation {
  Address on_stack = 0;  ///< what it keeps in its part of the C stack; 0: not known
  std::size_t first = 0; ///< index in the Python stack of the first frame that it runs
};

} // namespace awaitscope
