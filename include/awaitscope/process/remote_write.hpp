#pragma once

#include <string_view>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/remote_memory.hpp"

namespace awaitscope {

/// Writes into the memory of another process, whole or not at all: process_vm_writev(2), which needs the right to trace it. The only
/// place that does; for `trace` alone, whose user asked for it.
ReadStatus write_memory(ThreadId pid, Address address, std::string_view bytes);

} // namespace awaitscope
