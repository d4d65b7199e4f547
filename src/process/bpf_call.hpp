#pragma once

#include <cstdint>

#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace awaitscope {

/// bpf(2), which the C library has no function for. What the kernel says: a descriptor, 0, or -1.
inline int call_bpf(bpf_cmd command, bpf_attr &attributes) {
  return static_cast<int>(::syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

/// A pointer, as bpf_attr takes them.
inline std::uint64_t address_of(const void *pointer) { return reinterpret_cast<std::uint64_t>(pointer); } // NOLINT

} // namespace awaitscope
