#pragma once

#include <cstddef>
#include <span>

namespace awaitscope::capture {

/// An ELF file: switch_capture.bpf.c as clang has compiled it.
std::span<const std::byte> object_bytes();

} // namespace awaitscope::capture
