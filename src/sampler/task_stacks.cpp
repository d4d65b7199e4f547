#include "awaitscope/sampler/task_stacks.hpp"

#include "awaitscope/asyncio/lineage.hpp"

namespace awaitscope {
namespace {

std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  constexpr std::uint64_t k_mix = 0x9E3779B97F4A7C15ULL;
  hash = (hash ^ value) * k_mix;
  return hash ^ (hash >> 29U);
}

} // namespace

WatchedTask *TaskStacks::find(Address place) {
  const auto found = tasks_.find(place);
  return found == tasks_.end() ? nullptr : &found->second;
}

const WatchedTask *TaskStacks::find(Address place) const {
  const auto found = tasks_.find(place);
  return found == tasks_.end() ? nullptr : &found->second;
}

WatchedTask *TaskStacks::parent(const WatchedTask &task) {
  return task.look.awaited_by == 0 ? nullptr : find(task.look.awaited_by);
}

/// What stands above a task that this one awaits.
std::uint64_t TaskStacks::under(std::uint64_t above, const WatchedTask &parent) {
  return mix(mix(above, parent.look.task), parent.own);
}

/// Tasks that await each other in a circle: above each are all others, from the one behind it in the circle. Of a long circle
/// only the nearest count.
void TaskStacks::settle_circle(WatchedTask &first) {
  WatchedTask *task = &first;
  do {
    std::uint64_t above = 1;
    WatchedTask *at = parent(*task);
    for (std::size_t i = 0; i < LineageReader::k_max_segments && at != task; ++i) {
      above = under(above, *at);
      at = parent(*at);
    }
    task->next_above = above;
    task->settled_at = look_;
    task = parent(*task);
  } while (task != &first);
}

bool TaskStacks::has_moved(WatchedTask &task) {
  const std::uint64_t climb = ++climbs_;
  path_.clear();
  WatchedTask *at = &task;
  while (at != nullptr && at->settled_at != look_) {
    if (at->met_at == climb) {
      settle_circle(*at);
      break;
    }
    at->met_at = climb;
    path_.push_back(at);
    at = parent(*at);
  }
  for (auto each = path_.rbegin(); each != path_.rend(); ++each) {
    WatchedTask &one = **each;
    if (one.settled_at == look_) {
      continue; // in the circle
    }
    const WatchedTask *above = parent(one);
    one.next_above = above == nullptr ? 0 : under(above->next_above, *above);
    for (const Frame &frame : one.base.frames) {
      one.next_above = mix(mix(one.next_above, frame.code), static_cast<std::uint64_t>(frame.line));
    }
    one.next_above = mix(one.next_above, one.look.missing_above ? 1 : 0);
    one.settled_at = look_;
  }
  return task.above != task.next_above;
}

void TaskStacks::write(WatchedTask &task, TaskChange &change) {
  has_moved(task); // settles it
  task.above = task.next_above;
  const std::uint64_t climb = ++climbs_;
  path_.clear();
  const WatchedTask *last = &task;
  WatchedTask *at = parent(task);
  while (at != nullptr && at != &task && at->met_at != climb && path_.size() + 1 < LineageReader::k_max_segments) {
    at->met_at = climb;
    path_.push_back(at);
    last = at;
    at = parent(*at);
  }
  const bool cut = path_.size() + 1 >= LineageReader::k_max_segments && at != nullptr;
  change.frames = last->base.frames;
  change.root = last->base.root;
  if (last->base.frames.empty() && last != &task) {
    change.root.task = last->look.task;
    change.root.coroutine = last->look.label;
    change.root.name = given_name(last->look.name);
  }
  const auto append = [&](const WatchedTask &one, const WatchedTask *below) {
    if (one.look.missing_above || (cut && &one == last)) {
      change.frames.push_back(k_unreadable_frame);
    }
    change.frames.push_back({one.look.label, 0, FrameKind::task_border});
    if (below != nullptr && below->look.entered) {
      below->look.entered->append(one.look.frames, change.frames);
    } else {
      change.frames.insert(change.frames.end(), one.look.frames.begin(), one.look.frames.end());
    }
  };
  for (std::size_t i = path_.size(); i-- > 0;) {
    append(*path_[i], i == 0 ? &task : path_[i - 1]);
  }
  append(task, nullptr);
}

/// Of a task that awaits others for a group, only the frames count that were there when it entered that.
const RequestSight &TaskStacks::request_of(const WatchedTask &task) const {
  const WatchedTask &last = path_.empty() ? task : *path_.back();
  if (last.base.request.object != 0) {
    return last.base.request;
  }
  for (std::size_t i = path_.size(); i-- > 0;) {
    const RequestSight &request = path_[i]->look.request;
    const WatchedTask &below = i == 0 ? task : *path_[i - 1];
    if (request.object != 0 && (!below.look.entered || request.depth < below.look.entered->depth)) {
      return request;
    }
  }
  return task.look.request;
}

} // namespace awaitscope
