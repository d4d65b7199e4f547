#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "awaitscope/asyncio/task_reader.hpp"
#include "awaitscope/capture/snapshot_memory.hpp"

namespace awaitscope {

/// The tasks of a process, or some of them, as one scan after the other finds them. What a task was read from is noted, word by word, and it is read
/// again only if one of these has changed since: the many that wait are compared and not read. Needs a snapshot that
/// tracks changes, in which nothing else is read.
class TaskLooks {
public:
  TaskLooks(TaskReader &tasks, SnapshotMemory &memory) : tasks_(tasks), memory_(memory) {}

  struct Entry {
    Address place = 0;
    TaskLook look;
    bool is_task = false;
    bool known = false;       ///< `look` is what `uses` say
    std::uint64_t serial = 0; ///< another number: it was read again
    std::vector<SnapshotMemory::Use> uses;
  };

  /// Asked now and then while tasks are read: once it says yes, nothing more is.
  void end_when(std::function<bool()> over) { over_ = std::move(over); }

  /// Brings the entries up to date with the current snapshot: those of all tasks. False if that was ended before: they are of no use.
  bool refresh();

  /// Whether the last refresh() had the whole list of the tasks. If not, the list was changing, and a new one may be missing: those
  /// that were known before are in the entries all the same.
  [[nodiscard]] bool lists_all() const { return lists_all_; }

  /// The same for what is at these places only, in order.
  bool refresh(const std::vector<Address> &places);

  /// All is read again at the next refresh().
  void forget();

  /// In the order of their addresses. Some may be no task, or one that is done. Of those that run, `look` has the state.
  [[nodiscard]] const std::vector<Entry> &entries() const { return entries_; }

  /// Null if there is none for this place.
  [[nodiscard]] const Entry *find(Address place) const;

private:
  void add_known(std::vector<Address> &places) const;
  void take_places(const std::vector<Address> &places);
  void prefetch_stale();
  bool update(const std::vector<Address> &running);

  TaskReader &tasks_;
  std::function<bool()> over_;
  SnapshotMemory &memory_;
  std::vector<Entry> entries_;
  std::uint64_t serials_ = 0;
  std::uint32_t epoch_ = 0;
  bool lists_all_ = false;
};

} // namespace awaitscope
