#include "awaitscope/asyncio/task_reader.hpp"

#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

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
  const Layout &layout = objects_.layout();
  const Address interpreter = interpreters_.main_interpreter();
  const Address future_type = objects_.dict_value(interpreters_.module_dict(interpreter, "_asyncio"), "Future");
  const Address tasks_module = interpreters_.module_dict(interpreter, "asyncio.tasks");
  const Address current = objects_.dict_value(tasks_module, "_current_tasks");
  const TypeInfo type = future_type == 0 ? TypeInfo{} : objects_.type(future_type);
  constexpr std::int64_t k_largest_future = 1024;
  if (!type.valid || current == 0 || type.basic_size > k_largest_future ||
      type.basic_size < layout.future_callbacks + 8) {
    return false;
  }
  const auto size = static_cast<Offset>(type.basic_size);
  future_.loop = layout.future_loop;
  future_.callback = layout.future_callback;
  future_.callbacks = layout.future_callbacks;
  const bool own_dict = type.dict_offset > static_cast<std::int64_t>(layout.future_state_before_dict) &&
                        type.dict_offset < type.basic_size;
  future_.state = own_dict ? static_cast<Offset>(type.dict_offset) - layout.future_state_before_dict
                           : size - layout.future_state_before_end;
  future_.waiter = size + layout.task_waiter_after_future;
  future_.coroutine = future_.waiter + layout.task_coroutine_after_waiter;
  future_.name = future_.waiter + layout.task_name_after_waiter;
  node_ = future_.waiter + (layout.task_node_after_waiter == k_absent ? 0 : layout.task_node_after_waiter);
  if (layout.task_coroutine != k_absent) {
    future_.waiter = layout.task_coroutine - layout.task_coroutine_after_waiter;
    future_.coroutine = layout.task_coroutine;
    future_.name = layout.task_name;
    node_ = layout.task_node;
  }
  waiters_.set_layout(future_);
  current_tasks_ = current;
  task_sets_.clear();
  for (const std::string_view name : layout.task_sets) {
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

TaskLink TaskReader::link_of(Address task) {
  TaskLink link;
  link.task = task;
  const Address coroutine = coroutine_of(task);
  link.coroutine = coroutines_.label(coroutine);
  link.coroutine_frame = coroutines_.frame_of(coroutine);
  return link;
}

std::optional<TaskChain> TaskReader::running_chain(Address thread_state, const PythonStack &stack, RootNames names) {
  const bool any = std::any_of(stack.frames.begin(), stack.frames.end(),
                               [](const PythonFrame &frame) { return frame.of_generator; });
  if (!any || !located()) {
    return std::nullopt;
  }
  // Of the tasks that run now (one a loop), the innermost whose own coroutine is on this stack.
  Address running = 0;
  std::size_t best = 0;
  for (const Address task : current_tasks({thread_state})) {
    const Address frame = waiters_.is_task(task) ? coroutines_.frame_of(coroutine_of(task)) : 0;
    for (std::size_t i = best; frame != 0 && i < stack.frames.size(); ++i) {
      if (stack.frames[i].address == frame) {
        running = task;
        best = i;
      }
    }
  }
  if (running == 0) {
    return std::nullopt;
  }
  TaskChain chain;
  std::unordered_set<Address> seen;
  Address task = running;
  while (seen.insert(task).second && chain.links.size() < k_max_links) {
    TaskLink link = link_of(task);
    if (task != running && !coroutines_.follow(coroutine_of(task), link.frames).whole) {
      link.frames.push_back(k_unreadable_frame);
    }
    std::vector<Address> waiting;
    link.unreadable_above = !waiters_.find(task, waiting, 1);
    chain.links.push_back(std::move(link));
    if (waiting.empty()) {
      break;
    }
    task = waiting.front();
  }
  if (names == RootNames::read) {
    chain.root_name = given_name(chain.links.back().task);
  }
  return chain;
}

std::string TaskReader::given_name(Address task) {
  // 3.12+: an int until somebody asks for the name (Modules/_asynciomodule.c, TaskObj.task_name).
  const Address name = objects_.memory().pointer(task + future_.name);
  if (name == 0 || !objects_.is_kind(objects_.type_of(name), "str")) {
    return {};
  }
  std::string text = objects_.text(name).value_or("");
  return is_serial_name(text) ? std::string() : text;
}

std::string TaskReader::any_name(Address task) {
  const Address name = objects_.memory().pointer(task + future_.name);
  if (name == 0) {
    return {};
  }
  if (objects_.is_kind(objects_.type_of(name), "int")) {
    return fmt::format("Task-{}", objects_.integer(name).value_or(0));
  }
  return objects_.text(name).value_or("");
}

void TaskReader::add_from_weak_set(Address set, std::vector<Address> &tasks) {
  const bool plain = objects_.is_kind(objects_.type_of(set), "set");
  const Address data = plain ? set : objects_.attribute(set, "data"); // Lib/_weakrefset.py
  const auto elements = objects_.set_elements(data);
  if (!elements) {
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
    tasks.push_back(node - node_);
    node = objects_.memory().pointer(node);
  }
}

TaskSnapshot TaskReader::snapshot_of(Address task, const std::vector<Address> &running) {
  SnapshotMemory &memory = objects_.memory();
  TaskSnapshot snapshot;
  snapshot.id = task;
  snapshot.name = any_name(task);
  snapshot.loop = memory.pointer(task + future_.loop);
  const Address coroutine = coroutine_of(task);
  snapshot.coroutine = coroutines_.label(coroutine);
  snapshot.coroutine_frame = coroutines_.frame_of(coroutine);
  if (memory.get<std::uint32_t>(task + future_.state).value_or(0) != 0) {
    snapshot.state = TaskState::done;
  } else if (std::find(running.begin(), running.end(), task) != running.end()) {
    snapshot.state = TaskState::running;
  } else {
    snapshot.state = memory.pointer(task + future_.waiter) != 0 ? TaskState::waiting : TaskState::ready;
  }
  if (snapshot.state != TaskState::done && !coroutines_.follow(coroutine, snapshot.frames).whole) {
    snapshot.frames.push_back(k_unreadable_frame);
  }
  waiters_.find(task, snapshot.awaited_by);
  const Address awaited = memory.pointer(task + future_.waiter);
  snapshot.worker_future = waiters_.is_future(awaited) ? waiters_.chained_source(awaited) : 0;
  return snapshot;
}

/// Lib/concurrent/futures/thread.py and asgiref/current_thread_executor.py: _WorkItem.run(self), with self.future.
static bool runs_work_item(const CodeInfo &code, const Layout &layout) {
  if (layout.has_qualname) {
    return code.function == "_WorkItem.run";
  }
  const auto in = [&](std::string_view file) { return code.file.find(file) != std::string::npos; };
  return code.function == "run" && (in("concurrent/futures/thread.py") || in("asgiref/current_thread_executor.py"));
}

std::vector<Address> TaskReader::worker_futures(const PythonStack &stack) {
  const Layout &layout = objects_.layout();
  std::vector<Address> futures;
  for (const PythonFrame &frame : stack.frames) {
    if (frame.frame.kind == FrameKind::python && runs_work_item(codes_.info(frame.frame.code), layout)) {
      const Address future = objects_.attribute(stacks_.local(frame.address, 0), "future");
      if (future != 0) {
        futures.push_back(future);
      }
    }
  }
  return futures;
}

std::vector<TaskSnapshot> TaskReader::all_tasks() {
  if (!located()) {
    return {};
  }
  std::vector<Address> thread_states;
  for (const ThreadEntry &thread : interpreters_.threads()) {
    thread_states.push_back(thread.state);
  }
  const std::vector<Address> running = current_tasks(thread_states);
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
  std::vector<RemoteRange> heads;
  heads.reserve(candidates.size());
  for (const Address candidate : candidates) {
    heads.push_back({candidate, future_.name + Offset{8}});
  }
  objects_.memory().prefetch(heads);
  std::vector<TaskSnapshot> tasks;
  std::unordered_set<Address> seen;
  for (const Address candidate : candidates) {
    if (seen.insert(candidate).second && waiters_.is_task(candidate)) {
      tasks.push_back(snapshot_of(candidate, running));
    }
  }
  return tasks;
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
