#include "awaitscope/asyncio/task_reader.hpp"

#include <algorithm>
#include <utility>

#include "awaitscope/asyncio/task_ring.hpp"

namespace awaitscope {
bool TaskReader::locate() {
  std::vector<Module> found;
  futures_.forget();
  for (const Address interpreter : interpreters_.interpreters()) {
    const Address tasks_module = interpreters_.module_dict(interpreter, "asyncio.tasks");
    const Address current = tasks_module == 0 ? 0 : objects_.dict_value(tasks_module, "_current_tasks");
    if (current == 0 || !futures_.locate(interpreters_, interpreter)) {
      continue;
    }
    Module &module = found.emplace_back(Module{interpreter, current, {}});
    for (const std::string_view name : objects_.layout().task_sets) {
      const Address set = name.empty() ? 0 : objects_.dict_value(tasks_module, name);
      if (set != 0) {
        module.task_sets.push_back(set);
      }
    }
  }
  modules_ = std::move(found);
  return located();
}

bool TaskReader::located_in(Address interpreter) const {
  return std::any_of(modules_.begin(), modules_.end(),
                     [&](const Module &module) { return module.interpreter == interpreter; });
}

bool TaskReader::located_in_each(const std::vector<Address> &interpreters) const {
  return std::all_of(interpreters.begin(), interpreters.end(),
                     [&](Address interpreter) { return located_in(interpreter); });
}

bool TaskReader::located_in_others(const std::vector<Address> &interpreters) const {
  return !std::all_of(modules_.begin(), modules_.end(), [&](const Module &module) {
    return std::find(interpreters.begin(), interpreters.end(), module.interpreter) != interpreters.end();
  });
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
  for (const Module &module : modules_) {
    const auto entries = objects_.dict_entries(module.current_tasks);
    for (std::size_t i = 0; entries && i < entries->size(); ++i) {
      tasks.push_back((*entries)[i].value);
    }
  }
  return tasks;
}

void TaskReader::suspended_segment(Address task, StackSegment &segment, Address group) {
  const Address coroutine = futures_.coroutine(task);
  segment.begins_task = true;
  segment.coroutine = coroutines_.label(coroutine);
  std::vector<Address> places;
  if (group != 0) {
    std::vector<Frame> frames;
    const GroupReader::Entered call = entered(task, group, frames, places);
    call.append(frames, segment.frames);
    segment.request = requests_.find(std::span(frames).first(std::min(call.depth, frames.size())), places, task);
    return;
  }
  const bool whole = coroutines_.follow(coroutine, segment.frames, nullptr, &places).whole;
  segment.request = requests_.find(segment.frames, places, task);
  if (!whole) {
    segment.frames.push_back(k_unreadable_frame);
  }
}

/// Which call of a task has entered the group, and the frames of the task.
GroupReader::Entered TaskReader::entered(Address task, Address group, std::vector<Frame> &frames,
                                         std::vector<Address> &places) {
  const Address coroutine = futures_.coroutine(task);
  if (coroutines_.executes(coroutine)) {
    greenlets_.follow(coroutine, frames, &places);
  } else {
    coroutines_.follow(coroutine, frames, nullptr, &places);
  }
  return groups_.find(group, frames, places);
}

Address TaskReader::switched_task(Address thread_state, const PythonStack &stack) {
  const Address loop = running_loop_of(thread_state);
  for (const Address task : loop == 0 ? std::vector<Address>{} : current_tasks({thread_state})) {
    const Address frame = coroutine_frame(task);
    const auto is_there = [&](const PythonFrame &known) { return known.address == frame; };
    if (futures_.is_task(task) && futures_.loop(task) == loop && frame != 0 &&
        std::none_of(stack.frames.begin(), stack.frames.end(), is_there) &&
        coroutines_.executes(futures_.coroutine(task))) {
      return task;
    }
  }
  return 0;
}

void TaskReader::switched_segment(Address task, StackSegment &segment) {
  const Address coroutine = futures_.coroutine(task);
  segment.begins_task = true;
  segment.coroutine = coroutines_.label(coroutine);
  std::vector<Address> places;
  const bool whole = greenlets_.follow(coroutine, segment.frames, &places);
  segment.request = requests_.find(segment.frames, places, task);
  if (!whole) {
    segment.frames.push_back(k_unreadable_frame);
  }
}

std::string TaskReader::given_name(Address task) { return awaitscope::given_name(futures_.name(task)); }

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
  const TaskRing ring = read_task_ring(objects_.memory(), head, k_max_tasks);
  saw_all_ = saw_all_ && ring.whole;
  for (const Address node : ring.nodes) {
    tasks.push_back(node - futures_.layout().node);
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
  if (snapshot.state != TaskState::done) {
    const AwaitEnd end = coroutines_.follow(coroutine, snapshot.frames);
    if (!end.whole) {
      snapshot.frames.push_back(k_unreadable_frame);
    } else if (snapshot.state == TaskState::waiting) {
      snapshot.suspended_since_ns = suspended_since(end.frame);
    }
  }
  WaiterReader::Waiters waiters = waiters_.find(task);
  snapshot.awaited_by = std::move(waiters.tasks);
  snapshot.owner_elsewhere =
      waiters.first_group != 0 && !waits_for_group(snapshot.awaited_by.front(), waiters.first_group);
  return snapshot;
}

/// Of a group of many tasks, each would read its owner's frames again.
bool TaskReader::waits_for_group(Address owner, Address group) {
  if (owner != last_group_.owner || group != last_group_.group) {
    std::vector<Frame> frames;
    std::vector<Address> places;
    last_group_ = {owner, group, entered(owner, group, frames, places).leaving};
  }
  return last_group_.leaving;
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

std::vector<Address> TaskReader::thread_states() {
  std::vector<Address> states;
  for (const ThreadEntry &thread : interpreters_.threads()) {
    states.push_back(thread.state);
  }
  return states;
}

TaskReader::Places TaskReader::places() {
  Places found;
  if (!located()) {
    return found;
  }
  const std::vector<Address> states = thread_states();
  saw_all_ = true;
  found.running = current_tasks(states);
  std::vector<Address> &candidates = found.tasks;
  candidates = found.running;
  if (objects_.layout().task_registry == TaskRegistry::thread_lists) {
    for (const Address state : states) {
      add_from_list(state + objects_.layout().ts_tasks_head, candidates);
    }
    for (const Address interpreter : interpreters_.interpreters()) {
      add_from_list(interpreter + objects_.layout().is_tasks_head, candidates); // of threads that have ended
    }
  }
  for (const Module &module : modules_) {
    for (const Address set : module.task_sets) {
      add_from_weak_set(set, candidates);
    }
  }
  std::sort(candidates.begin(), candidates.end());
  candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
  return found;
}

void TaskReader::prefetch_heads(std::span<const Address> tasks) {
  const FutureLayout &native = futures_.layout();
  const std::size_t head_size = native.name == k_absent ? 64 : native.name + 8;
  std::vector<RemoteRange> heads;
  heads.reserve(tasks.size());
  for (const Address task : tasks) {
    heads.push_back({task, head_size});
  }
  objects_.memory().prefetch(heads);
}

void TaskReader::prefetch(const std::vector<Address> &tasks) {
  constexpr std::size_t k_coroutine = 256; // with what most of them have in their frames
  constexpr std::size_t k_future = 96;
  prefetch_heads(tasks);
  const FutureLayout &native = futures_.layout();
  if (native.waiter == k_absent) {
    return;
  }
  std::vector<RemoteRange> objects;
  for (const Address task : tasks) {
    if (const Address coroutine = objects_.memory().pointer(task + native.coroutine); coroutine != 0) {
      objects.push_back({coroutine, k_coroutine});
    }
    if (const Address waiter = objects_.memory().pointer(task + native.waiter); waiter != 0) {
      objects.push_back({waiter, k_future});
    }
  }
  objects_.memory().prefetch(objects);
}

std::vector<TaskSnapshot> TaskReader::all_tasks() {
  const Places found = places();
  return tasks_at(found.tasks, found.running);
}

std::vector<TaskSnapshot> TaskReader::tasks_at(std::span<const Address> places, const std::vector<Address> &running) {
  prefetch_heads(places);
  last_group_ = {};
  std::vector<TaskSnapshot> tasks;
  std::size_t frames = 0;
  for (const Address task : places) {
    if (!futures_.is_task(task)) {
      continue;
    }
    tasks.push_back(snapshot_of(task, running));
    std::vector<Frame> &own = tasks.back().frames;
    if (frames + own.size() > k_max_frames) { // chains that share their parts: no program has them
      own.assign(1, k_unreadable_frame);
      own.shrink_to_fit();
    }
    frames += own.size();
  }
  return tasks;
}

/// Since when this frame is suspended, if it is of asyncio.sleep(). Lib/asyncio/tasks.py: sleep(delay, …) asks once, right
/// before it suspends, for h = loop.call_later(delay, …), and asyncio's loop then sets h._when to its time() + delay, that
/// is CLOCK_MONOTONIC in seconds (Lib/asyncio/base_events.py). Other loops' handles have no _when.
std::optional<std::int64_t> TaskReader::suspended_since(Address frame) {
  const std::optional<RawFrame> raw = frame == 0 ? std::nullopt : stacks_.raw_frame(frame);
  const std::optional<CodeId> code = raw ? codes_.find(raw->code) : std::nullopt;
  if (!code || codes_.info(*code).function != "sleep" ||
      codes_.info(*code).file.find("asyncio/tasks.py") == std::string::npos) {
    return std::nullopt;
  }
  const auto delay_slot = stacks_.local_slot(raw->code, *code, "delay");
  const auto handle_slot = stacks_.local_slot(raw->code, *code, "h");
  const Address handle = handle_slot ? stacks_.local(frame, *handle_slot) : 0;
  const TypeInfo &type = objects_.type_of_object(handle);
  if (!delay_slot || !type.valid || type.name != "TimerHandle") {
    return std::nullopt;
  }
  // Lib/asyncio/events.py: __slots__ = ['_scheduled', '_when'], which type_new() sorts; neither a dict nor weak references
  // of its own come behind them.
  const std::optional<double> delay = objects_.number(stacks_.local(frame, *delay_slot));
  const std::optional<double> when =
      objects_.number(objects_.memory().pointer(handle + static_cast<Address>(type.basic_size) - 8));
  constexpr double k_longest = 4e9; // seconds: what follows is a number of nanoseconds
  if (!delay || !when || !(*delay >= 0) || !(*when >= *delay) || !(*when < k_longest)) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>((*when - *delay) * 1e9);
}

bool TaskReader::look_at(Address task, TaskLook &look) {
  look = {};
  if (!futures_.is_task(task)) {
    return false;
  }
  look.task = task;
  look.done = futures_.is_done(task);
  if (look.done) {
    look.state = TaskState::done;
    return true;
  }
  look.waits_for = futures_.waits_for(task);
  look.state = look.waits_for != 0 ? TaskState::waiting : TaskState::ready;
  look.loop = futures_.loop(task);
  look.coroutine = futures_.coroutine(task);
  look.name = futures_.name(task);
  look.label = coroutines_.label(look.coroutine);
  std::vector<Address> frame_places;
  const AwaitEnd end = coroutines_.follow(look.coroutine, look.frames, &look.calls, &frame_places);
  look.request = requests_.find(look.frames, frame_places, task);
  requests_.complete(look.request);
  if (!end.whole) {
    look.frames.push_back(k_unreadable_frame);
  } else if (look.waits_for != 0) {
    // The next future often has the memory of the last one; a timer has its time.
    look.awaits = look.waits_for ^ static_cast<std::uint64_t>(suspended_since(end.frame).value_or(0));
  }
  const WaiterReader::Waiter waiter = waiters_.first(task);
  look.awaited_by = waiter.task;
  if (waiter.group != 0) {
    std::vector<Frame> frames;
    std::vector<Address> places;
    look.entered = entered(waiter.task, waiter.group, frames, places);
  }
  look.missing_above = !waiter.whole && waiter.task == 0;
  look.may_have_starter = look.awaited_by == 0 && may_have_starter(task, look.label);
  return true;
}

/// Is this the kind of task that computes something for a thread (LineageReader finds it)?
bool TaskReader::may_have_starter(Address task, CodeId label) {
  const FunctionRole role = roles_.role_of_label(label);
  return role == FunctionRole::finishes || role == FunctionRole::wraps_loop || waiters_.chained_destination(task) != 0;
}

Address TaskReader::running_loop_of(Address thread_state) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  if (layout.ts_running_loop != k_absent) {
    return memory.pointer(thread_state + layout.ts_running_loop);
  }
  const Address held =
      objects_.dict_value(memory.pointer(thread_state + layout.ts_dict), "__asyncio_running_event_loop__");
  return held != 0 && layout.loop_holder_loop != k_absent ? memory.pointer(held + layout.loop_holder_loop) : held;
}

} // namespace awaitscope
