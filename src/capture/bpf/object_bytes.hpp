#pragma once

#include <cstddef>
#include <span>

namespace awaitscope::capture {

// ELF files, as clang has compiled them.
std::span<const std::byte> switch_capture_bytes();   ///< of switch_capture.bpf.c
std::span<const std::byte> register_capture_bytes(); ///< of register_capture.bpf.c

} // namespace awaitscope::capture
