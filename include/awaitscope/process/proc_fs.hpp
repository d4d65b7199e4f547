#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope {

// Pure parsers of what proc(5) prints, beside the readers that fetch it.

/// A line of /proc/PID/maps.
struct MapEntry {
  Address start = 0;
  Address end = 0;
  bool readable = false;
  bool writable = false;
  bool executable = false;
  std::uint64_t file_offset = 0;
  std::uint64_t inode = 0;
  std::string path; ///< as printed, " (deleted)" included; empty for anonymous memory
};
std::vector<MapEntry> parse_maps(std::string_view text);

/// /proc/PID/task/TID/schedstat: nanoseconds on the CPU, nanoseconds runnable, times scheduled in
/// (Documentation/scheduler/sched-stats.rst).
struct SchedStat {
  std::uint64_t cpu_ns = 0;
  std::uint64_t wait_ns = 0;
  std::uint64_t times_run = 0;
};
std::optional<SchedStat> parse_schedstat(std::string_view text);

/// se.exec_start of /proc/PID/task/TID/sched, in nanoseconds (kernel/sched/debug.c, proc_sched_show_task()). Nothing if absent.
std::optional<std::int64_t> parse_exec_start(std::string_view text);

/// What /proc/PID/task/TID/stat is read for.
struct TaskStat {
  std::string command;
  char state = '?';
  std::uint64_t minor_faults = 0; ///< field 10
  std::uint64_t major_faults = 0; ///< field 12
  int processor = -1;             ///< field 39: the CPU last executed on
};
std::optional<TaskStat> parse_task_stat(std::string_view text);

/// The last number of the NSpid line of /proc/…/status: the id in the innermost PID namespace. Nothing if absent.
std::optional<ThreadId> parse_innermost_pid(std::string_view status);

/// A whole small file, or nothing. `limit` bounds what is kept.
std::optional<std::string> read_file(const std::string &path, std::size_t limit = std::size_t{64} << 20U);

/// What a file of /proc that is kept open says now, from its beginning, as far as there is room; empty if it says nothing, as
/// that of a process or thread which has ended does.
std::string_view read_again(const UniqueFd &file, std::span<char> room);

/// The numeric entries of a directory of /proc, ascending.
std::vector<ThreadId> list_ids(const std::string &directory);

} // namespace awaitscope
