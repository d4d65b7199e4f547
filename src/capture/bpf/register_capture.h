#pragma once

#include <stdint.h> // NOLINT: C as well

// What register_capture.bpf.c and RegisterCapture share.

#ifdef __cplusplus
namespace awaitscope::capture {
#endif

enum { k_most_processes = 4096, k_most_threads = 16384 };

// NOLINTBEGIN: C

/// As in struct pt_regs (arch/x86/include/asm/ptrace.h), which has no more.
struct LastRegisters {
  uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax, rip, cs, flags, rsp, ss;
};

// NOLINTEND

#ifdef __cplusplus
} // namespace awaitscope::capture
#endif
