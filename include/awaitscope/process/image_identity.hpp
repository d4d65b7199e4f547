#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope {

/// Which program a process runs: another one after execve(2), and in another process that took its PID.
struct ImageIdentity {
  std::uint64_t start_time = 0;  ///< field 22 of /proc/PID/stat: of the process, in clock ticks since boot
  std::uint64_t start_code = 0;  ///< field 26: where its text begins
  std::uint64_t start_stack = 0; ///< field 28: where its stack begins
  std::string executable;
  bool executing = false; ///< in the middle of execve(2): start_code is not known yet, and the rest may change

  bool operator==(const ImageIdentity &) const = default;
};

/// All but the executable, of the contents of /proc/PID/stat. Nothing if those are of a corpse, or of a process that is ending.
std::optional<ImageIdentity> parse_image_identity(std::string_view stat);

/// Nothing if there is no such process, or only its corpse, or if it is ending. Where ptrace access is refused the addresses
/// are 1 and 0 (fs/proc/array.c, do_task_stat).
std::optional<ImageIdentity> image_identity(ThreadId pid);

/// The same where the last one is known: the executable is not asked for if all else is what it was. Another program has its
/// stack elsewhere (fs/binfmt_elf.c: at random), unless that was turned off (personality(2), ADDR_NO_RANDOMIZE).
/// `stat` is /proc/PID/stat, opened here if it is not, and kept for the next time: it is of this process alone.
std::optional<ImageIdentity> image_identity(ThreadId pid, const ImageIdentity &known, UniqueFd &stat);

/// The children of a process, of all its threads (/proc/PID/task/TID/children).
std::vector<ThreadId> children_of(ThreadId pid);

} // namespace awaitscope
