#pragma once

#include <sys/user.h>

#include "awaitscope/model/native_stack.hpp"

namespace awaitscope {

/// A thread's registers by DWARF's numbers, as ptrace(2) has them.
decltype(RegistersAndStack::registers) registers_of(const user_regs_struct &all);

} // namespace awaitscope
