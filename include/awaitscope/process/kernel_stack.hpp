#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope {

/// The functions of the kernel that a thread is in, outermost first, by /proc/PID/task/TID/stack (proc_pid_stack(5)). None if it was
/// interrupted in user space, runs, or may not be read. Without how a call enters the kernel, and how a thread loses its CPU there.
std::vector<std::string> kernel_functions(ThreadId pid, ThreadId tid);

/// The same of the file's text.
std::vector<std::string> kernel_functions(std::string_view text);

/// Fails if kernel stacks may not be read here: that takes CAP_SYS_ADMIN, and a kernel with CONFIG_STACKTRACE.
Result<void> check_kernel_stacks();

} // namespace awaitscope
