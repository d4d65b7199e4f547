#include "awaitscope/asyncio/task_reader.hpp"

#include <algorithm>

namespace awaitscope {
namespace {

/// "Task-12": the name that asyncio gives where the program gives none (Lib/asyncio/tasks.py, _task_name_counter).
bool is_serial_name(std::string_view name) {
  constexpr std::string_view k_prefix = "Task-";
  return name.substr(0, k_prefix.size()) == k_prefix && name.size() > k_prefix.size() &&
         std::all_of(name.begin() + k_prefix.size(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

} // namespace

bool TaskReader::locate() {
  const Address interpreter = interpreters_.main_interpreter();
  const Address tasks_module = interpreters_.module_dict(interpreter, "asyncio.tasks");
  const Address current = objects_.dict_value(tasks_module, "_current_tasks");
  if (current == 0 || !futures_.locate(interpreters_, interpreter)) {
    return false;
  }
  current_tasks_ = current;
  task_sets_.clear();
  for (const std::string_view name : objects_.layout().task_sets) {
    const Address set = name.empty() ? 0 : objects_.dict_value(tasks_module, name);
    if (set != 0) {
      task_sets_.push_back(set);
    }
  }
  return true;
}

std::vector<Address> TaskReader::current_tasks(const std::vector<Address> &thread_states) {
  std::vector<Address> tasks;
  if (objects_.layout().task_registry == TaskRegistry::thread_lists) {
    for (const Address state : thread_states) {
      if (const Address task = objects_.memory().pointer(state + objects_.layout().ts_running_task); task != 0) {
        tasks.push_back(task);
      }
    }
  }
  const auto entries = objects_.dict_entries(current_tasks_);
  for (std::size_t i = 0; entries && i < entries->size(); ++i) {
    tasks.push_back((*entries)[i].value);
  }
  return tasks;
}

void TaskReader::suspended_segment(Address task, StackSegment &segment) {
  const Address coroutine = futures_.coroutine(task);
  segment.begins_task = true;
  segment.coroutine = coroutines_.label(coroutine);
  if (!coroutines_.follow(coroutine, segment.frames).whole) {
    segment.frames.push_back(k_unreadable_frame);
  }
}

std::string TaskReader::given_name(Address task) {
  std::string name = futures_.name(task);
  return is_serial_name(name) ? std::string() : name;
}

void TaskReader::add_from_weak_set(Address set, std::vector<Address> &tasks) {
  const bool plain = objects_.is_kind(objects_.type_of(set), "set");
  const Address data = plain ? set : objects_.attribute(set, "data"); // Lib/_weakrefset.py
  const auto elements = objects_.set_elements(data);
  if (!elements) {
    saw_all_ = false;
    return;
  }
  std::vector<RemoteRange> references;
  for (const Address element : *elements) {
    references.push_back({element, 32});
  }
  objects_.memory().prefetch(references);
  for (const Address element : *elements) {
    tasks.push_back(plain ? element : objects_.memory().pointer(element + objects_.layout().weakref_object));
  }
}

void TaskReader::add_from_list(Address head, std::vector<Address> &tasks) {
  // Include/internal/pycore_llist.h: a ring of next, prev, with the head in it.
  Address node = objects_.memory().pointer(head);
  for (std::size_t count = 0; node != 0 && node != head && count < k_max_tasks; ++count) {
    tasks.push_back(node - futures_.layout().node);
    node = objects_.memory().pointer(node);
  }
}

TaskSnapshot TaskReader::snapshot_of(Address task, const std::vector<Address> &running) {
  TaskSnapshot snapshot;
  snapshot.id = task;
  snapshot.name = futures_.name(task);
  snapshot.loop = futures_.loop(task);
  const Address coroutine = futures_.coroutine(task);
  snapshot.coroutine = coroutines_.label(coroutine);
  snapshot.coroutine_frame = coroutines_.frame_of(coroutine);
  const Address awaited = futures_.waits_for(task);
  snapshot.state = state_of(task, awaited, running);
  // A task of pure Python whose attributes are being moved to a larger table (Objects/dictobject.c, dictresize()).
  saw_all_ = saw_all_ && (coroutine != 0 || snapshot.state == TaskState::done);
  if (snapshot.state == TaskState::running && !coroutines_.executes(coroutine)) {
    snapshot.state = TaskState::ready; // its loop has chosen it, and is not in its coroutine yet, or any more
  }
  if (snapshot.state == TaskState::waiting && futures_.is_future(awaited) && futures_.is_done(awaited)) {
    snapshot.state = TaskState::ready; // its wakeup is in the loop's queue
  }
  if (snapshot.state != TaskState::done && !coroutines_.follow(coroutine, snapshot.frames).whole) {
    snapshot.frames.push_back(k_unreadable_frame);
  }
  waiters_.find(task, snapshot.awaited_by);
  return snapshot;
}

TaskState TaskReader::state_of(Address task, Address awaited, const std::vector<Address> &running) {
  if (futures_.is_done(task)) {
    return TaskState::done;
  }
  if (std::find(running.begin(), running.end(), task) != running.end()) {
    return TaskState::running;
  }
  return awaited != 0 ? TaskState::waiting : TaskState::ready;
}

/// Where every task is, each once, with its head in the snapshot. Sets `running`.
std::vector<Address> TaskReader::addresses(std::vector<Address> &running) {
  if (!located()) {
    return {};
  }
  std::vector<Address> thread_states;
  for (const ThreadEntry &thread : interpreters_.threads()) {
    thread_states.push_back(thread.state);
  }
  saw_all_ = true;
  running = current_tasks(thread_states);
  std::vector<Address> candidates = running;
  if (objects_.layout().task_registry == TaskRegistry::thread_lists) {
    for (const Address state : thread_states) {
      add_from_list(state + objects_.layout().ts_tasks_head, candidates);
    }
    for (const Address interpreter : interpreters_.interpreters()) {
      add_from_list(interpreter + objects_.layout().is_tasks_head, candidates); // of threads that have ended
    }
  }
  for (const Address set : task_sets_) {
    add_from_weak_set(set, candidates);
  }
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  const FutureLayout &native = futures_.layout();
  const std::size_t head_size = native.name == k_absent ? 64 : native.name + 8;
  std::vector<RemoteRange> heads;
  heads.reserve(candidates.size());
  for (const Address candidate : candidates) {
    heads.push_back({candidate, head_size});
  }
  objects_.memory().prefetch(heads);
  std::erase_if(candidates, [&](Address candidate) { return !futures_.is_task(candidate); });
  return candidates;
}

std::vector<TaskSnapshot> TaskReader::all_tasks() {
  std::vector<Address> running;
  std::vector<TaskSnapshot> tasks;
  for (const Address task : addresses(running)) {
    tasks.push_back(snapshot_of(task, running));
  }
  return tasks;
}

std::vector<TaskLook> TaskReader::look_at_all() {
  std::vector<Address> running;
  std::vector<TaskLook> looks;
  for (const Address task : addresses(running)) {
    TaskLook look;
    look.task = task;
    look.waits_for = futures_.waits_for(task);
    look.state = state_of(task, look.waits_for, running);
    if (look.state == TaskState::done) {
      continue;
    }
    look.loop = futures_.loop(task);
    look.coroutine = futures_.coroutine(task);
    look.name = futures_.name(task);
    if (look.state != TaskState::running && !coroutines_.follow(look.coroutine, look.frames, &look.calls).whole) {
      look.frames.push_back(k_unreadable_frame);
    }
    looks.push_back(std::move(look));
  }
  return looks;
}

Address TaskReader::running_loop(const ThreadEntry &thread) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  if (layout.ts_running_loop != k_absent) {
    return memory.pointer(thread.state + layout.ts_running_loop);
  }
  const Address held =
      objects_.dict_value(memory.pointer(thread.state + layout.ts_dict), "__asyncio_running_event_loop__");
  return held != 0 && layout.loop_holder_loop != k_absent ? memory.pointer(held + layout.loop_holder_loop) : held;
}

} // namespace awaitscope
