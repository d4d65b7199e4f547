#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "awaitscope/asyncio/task_reader.hpp"
#include "awaitscope/model/task_change.hpp"

namespace awaitscope {

/// What a task stands under that computes something for a thread, root first, and where that begins.
struct TaskBase {
  std::vector<Frame> frames;
  TaskChange::Root root;
  RequestSight request;
};

/// A task as it was emitted last.
struct WatchedTask {
  TaskLook look;
  std::array<std::uint64_t, 2> serials{}; ///< of the entries of either kind of scan when it was read last
  std::uint64_t own = 0;                  ///< another number: other frames of its own
  std::uint64_t above = 0;                ///< another number: other frames above its own
  std::uint64_t seen_at = 0;              ///< number of the scan that had it in the list of tasks
  unsigned missed = 0;                    ///< scans since then
  bool since_ever = false;                ///< it was there when the recording began, and has not changed since
  std::int64_t changed_ns = 0;            ///< when it was emitted last
  std::int64_t unchanged_ns = 0;          ///< until when it is known to have been so
  TaskBase base;

  /// A scan may read the list of tasks while it is changing, and miss some that are there.
  static constexpr unsigned k_gone_after = 3;

  // TaskStacks's own.
  std::uint64_t next_above = 0;
  std::uint64_t settled_at = 0; ///< number of the look that next_above is of
  std::uint64_t met_at = 0;     ///< number of the climb that met it last
};

/// The tasks of a process, and the logical stack of each: the tasks that it stands under (TaskLook::awaited_by), each with the
/// frames of its own. As in LineageReader, a circle ends where it closes, and what is deeper than k_max_segments is missing.
class TaskStacks {
public:
  using Map = std::unordered_map<Address, WatchedTask>; ///< its elements stay where they are

  Map &tasks() { return tasks_; }
  /// Null if it is not known.
  WatchedTask *find(Address place);
  [[nodiscard]] const WatchedTask *find(Address place) const;

  /// A new look at all tasks has been taken over into tasks().
  void begin() { ++look_; }

  /// Is what stands above the task another than when it was written last?
  bool has_moved(WatchedTask &task);

  /// The whole of a task's stack, and where it begins.
  void write(WatchedTask &task, TaskChange &change);

  /// The request of the outermost frame that handles one in the stack that write() has written last, of this task.
  [[nodiscard]] const RequestSight &request_of(const WatchedTask &task) const;

private:
  WatchedTask *parent(const WatchedTask &task);
  static std::uint64_t under(std::uint64_t above, const WatchedTask &parent);
  void settle_circle(WatchedTask &first);

  Map tasks_;
  std::uint64_t look_ = 0;
  std::uint64_t climbs_ = 0;
  std::vector<WatchedTask *> path_;
};

} // namespace awaitscope
