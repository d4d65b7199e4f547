#include "awaitscope/asyncio/task_looks.hpp"

#include <algorithm>

namespace awaitscope {

/// Keeps the entries of the places that are still there.
void TaskLooks::take_places(const std::vector<Address> &places) {
  const bool same = std::equal(entries_.begin(), entries_.end(), places.begin(), places.end(),
                               [](const Entry &entry, Address place) { return entry.place == place; });
  if (same) {
    return;
  }
  std::vector<Entry> merged;
  merged.reserve(places.size());
  auto old = entries_.begin();
  for (const Address place : places) {
    old = std::find_if(old, entries_.end(), [&](const Entry &entry) { return entry.place >= place; });
    if (old != entries_.end() && old->place == place) {
      merged.push_back(std::move(*old++));
    } else {
      merged.emplace_back().place = place;
    }
  }
  entries_ = std::move(merged);
}

/// Those that were tasks when they were read last.
void TaskLooks::add_known(std::vector<Address> &places) const {
  for (const Entry &entry : entries_) {
    if (entry.is_task && !entry.look.done) {
      places.push_back(entry.place);
    }
  }
  std::sort(places.begin(), places.end());
  places.erase(std::unique(places.begin(), places.end()), places.end());
}

const TaskLooks::Entry *TaskLooks::find(Address place) const {
  const auto entry = std::lower_bound(entries_.begin(), entries_.end(), place,
                                      [](const Entry &one, Address sought) { return one.place < sought; });
  return entry != entries_.end() && entry->place == place ? &*entry : nullptr;
}

void TaskLooks::forget() {
  for (Entry &entry : entries_) {
    entry.known = false;
  }
}

bool TaskLooks::refresh() {
  TaskReader::Places places = tasks_.places();
  lists_all_ = tasks_.saw_all();
  if (!lists_all_) {
    add_known(places.tasks);
  }
  take_places(places.tasks);
  return update(places.running);
}

bool TaskLooks::refresh(const std::vector<Address> &places) {
  take_places(places);
  return update(tasks_.running());
}

/// Those that are to be read anew, level by level: one call after the other for each would take most of a scan.
void TaskLooks::prefetch_stale() {
  std::vector<Address> stale;
  for (Entry &entry : entries_) {
    entry.known = entry.known && memory_.unchanged(entry.uses);
    if (!entry.known) {
      stale.push_back(entry.place);
    }
  }
  if (stale.size() > 1) {
    tasks_.prefetch(stale);
  }
}

bool TaskLooks::update(const std::vector<Address> &running) {
  if (epoch_ != memory_.epoch()) {
    epoch_ = memory_.epoch();
    forget();
  }
  prefetch_stale();
  constexpr std::uint64_t k_between = 64; // tasks
  std::size_t read = 0;
  for (Entry &entry : entries_) {
    if (entry.known) {
      if (entry.look.state == TaskState::running) {
        entry.look.state = entry.look.waits_for != 0 ? TaskState::waiting : TaskState::ready;
      }
      continue;
    }
    if (over_ && serials_ % k_between == 0 && over_()) {
      return false;
    }
    entry.uses.clear();
    memory_.note_uses(&entry.uses);
    entry.is_task = tasks_.look_at(entry.place, entry.look);
    read += entry.look.frames.size();
    if (read > TaskReader::k_max_frames) { // as in a snapshot
      entry.look.frames.assign(1, k_unreadable_frame);
      entry.look.calls.clear();
    }
    entry.known = memory_.uses_whole();
    memory_.note_uses(nullptr);
    entry.serial = ++serials_;
  }
  for (const Address task : running) {
    const Entry *entry = find(task);
    if (entry != nullptr && entry->look.state != TaskState::done) {
      entries_[static_cast<std::size_t>(entry - entries_.data())].look.state = TaskState::running;
    }
  }
  memory_.keep();
  return true;
}

} // namespace awaitscope
