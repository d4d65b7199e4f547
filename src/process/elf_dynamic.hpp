#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "awaitscope/process/elf_image.hpp"

namespace awaitscope {

/// A defined symbol of the dynamic symbol table, found as a loader finds it: by PT_DYNAMIC, without a section header.
/// `file` is the whole file. Untrusted input: nothing outside it is looked at, and what is damaged finds nothing.
std::optional<ElfSpan> find_dynamic_symbol(std::string_view file, const std::vector<ElfSegment> &segments,
                                           std::string_view name);

} // namespace awaitscope
