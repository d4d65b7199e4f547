#pragma once

#include <string>

namespace awaitscope {

/// The name of a system call of x86-64 in which threads wait; "system call 999" of any other (asm/unistd_64.h).
std::string system_call_name(int number);

} // namespace awaitscope
