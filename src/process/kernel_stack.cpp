#include "awaitscope/process/kernel_stack.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "awaitscope/process/proc_fs.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_most_bytes =
    8192; // the kernel shows 64 functions at most (fs/proc/base.c, MAX_STACK_TRACE_DEPTH)

// arch/x86/entry/entry_64.S, arch/x86/entry/common.c, kernel/entry/common.c.
constexpr std::array<std::string_view, 6> k_entries{"entry_SYSCALL_64", "do_syscall_64", "x64_sys_call",
                                                    "asm_exc_",         "exc_",          "ret_from_fork"};
constexpr std::array<std::string_view, 10> k_interrupts{"asm_sysvec_",          "sysvec_",
                                                        "asm_common_interrupt", "common_interrupt",
                                                        "irqentry_exit",        "schedule",
                                                        "preempt_schedule",     "raw_irqentry_exit_cond_resched",
                                                        "exit_to_user_mode",    "syscall_exit_to_user_mode"};

template <std::size_t N>
bool begins_with_any(std::string_view name, const std::array<std::string_view, N> &beginnings) {
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [name](std::string_view beginning) { return name.starts_with(beginning); });
}

/// "[<0>] vfs_read+0xbb/0x3d0"
std::string_view function_of(std::string_view line) {
  const std::size_t begin = std::min(line.find(' '), line.size());
  line.remove_prefix(std::min(begin + 1, line.size()));
  return line.substr(0, line.find_first_of("+ "));
}

} // namespace

std::vector<std::string> kernel_functions(std::string_view text) {
  std::vector<std::string> functions; // innermost first, as there
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (const std::string_view function = function_of(line); !function.empty()) {
      functions.emplace_back(function);
    }
  }
  const auto is_call = [](const std::string &name) { return !begins_with_any(name, k_interrupts); };
  functions.erase(functions.begin(), std::find_if(functions.begin(), functions.end(), is_call));
  while (!functions.empty() && begins_with_any(functions.back(), k_entries)) {
    functions.pop_back();
  }
  std::reverse(functions.begin(), functions.end());
  return functions;
}

std::vector<std::string> kernel_functions(ThreadId pid, ThreadId tid) {
  return kernel_functions(read_file(fmt::format("/proc/{}/task/{}/stack", pid, tid), k_most_bytes).value_or(""));
}

Result<void> check_kernel_stacks() {
  if (read_file("/proc/self/stack", k_most_bytes)) {
    return {};
  }
  return fail(ExitStatus::denied, "the kernel does not show its stacks here (/proc/PID/stack)",
              "run as root of the host, or with CAP_SYS_ADMIN; or leave --kernel out");
}

} // namespace awaitscope
