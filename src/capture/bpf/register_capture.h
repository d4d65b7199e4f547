#pragma once

#include <stdint.h> // NOLINT: C as well

// What register_capture.bpf.c and RegisterCapture share.

#ifdef __cplusplus
namespace awaitscope::capture {
#endif

enum { k_most_processes = 4096, k_most_threads = 16384 };

// NOLINTBEGIN: C

/// struct pt_regs (arch/x86/include/asm/ptrace.h), with which struct user_regs_struct begins (arch/x86/include/asm/user_64.h).
struct LastRegisters {
  uint64_t words[21];
};

// NOLINTEND

#ifdef __cplusplus
} // namespace awaitscope::capture
#endif
