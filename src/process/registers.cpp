#include "awaitscope/process/registers.hpp"

namespace awaitscope {

decltype(RegistersAndStack::registers) registers_of(const user_regs_struct &all) {
  return {all.rax, all.rdx, all.rcx, all.rbx, all.rsi, all.rdi, all.rbp, all.rsp, all.r8,
          all.r9,  all.r10, all.r11, all.r12, all.r13, all.r14, all.r15, all.rip};
}

} // namespace awaitscope
