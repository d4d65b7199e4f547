#pragma once

#include <cstdint>

namespace awaitscope {

/// An address in the target's memory.
using Address = std::uint64_t;

/// A thread as the host sees it: the TID of /proc/PID/task/TID.
using ThreadId = std::int32_t;

/// Index into a CodeTable.
using CodeId = std::uint32_t;

} // namespace awaitscope
