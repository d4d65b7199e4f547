#include "awaitscope/asyncio/steps.hpp"

#include <algorithm>

namespace awaitscope {
namespace {

constexpr std::size_t k_max_found = 4096;

} // namespace

/// Where the frames of a step itself begin: those of a task of pure Python.
std::size_t StepReader::below_step(const PythonStack &stack, std::size_t index) {
  while (index > 0 && role(stack, index - 1) == FunctionRole::runs_task_step) {
    --index;
  }
  return index;
}

bool StepReader::begins_in_call(const PythonStack &stack, std::size_t index) {
  const std::size_t below = below_step(stack, index);
  const FunctionRole next = below == 0 ? FunctionRole::runs_handle : role(stack, below - 1);
  if (next == FunctionRole::runs_handle || next == FunctionRole::makes_eager_task) {
    return next == FunctionRole::makes_eager_task;
  }
  for (std::size_t i = below - 1; i-- > 0;) {
    if (role(stack, i) == FunctionRole::runs_handle) {
      return true;
    }
  }
  return false;
}

std::optional<StepReader::Entry> StepReader::entry(const PythonStack &stack, std::size_t index) {
  const PythonFrame &frame = stack.frames[index];
  if (!frame.of_generator || index == 0) {
    return std::nullopt;
  }
  const std::size_t below = below_step(stack, index);
  const FunctionRole next = below == 0 ? FunctionRole::ordinary : role(stack, below - 1);
  if (next == FunctionRole::makes_eager_task) {
    // Eager tasks came with 3.12: the frame lies in the coroutine.
    return Entry{0, frame.address - objects_.layout().gen_frame};
  }
  const Address task = task_of_step(stack, index, below);
  if (task == 0 || tasks_.coroutine_frame(task) != frame.address) {
    return std::nullopt;
  }
  return Entry{task, tasks_.futures().coroutine(task)};
}

Address StepReader::task_of_step(const PythonStack &stack, std::size_t index, std::size_t below) {
  if (below < index) {
    const PythonFrame &step = stack.frames[index - 1];
    const Address task = roles_.held(*roles_.rule(step.frame), step.address, step.frame.code);
    return tasks_.futures().is_task(task) ? task : 0;
  }
  if (below > 0 && role(stack, below - 1) == FunctionRole::runs_handle) {
    const PythonFrame &handle = stack.frames[below - 1];
    return task_of_callback(roles_.held(*roles_.rule(handle.frame), handle.address, handle.frame.code));
  }
  // A loop without frames of its own: its steps are the outermost coroutines.
  for (std::size_t i = 0; i < below; ++i) {
    if (stack.frames[i].of_generator || role(stack, i) == FunctionRole::runs_handle) {
      return 0;
    }
  }
  return task_of_coroutine(stack.frames[index].address);
}

/// Modules/_asynciomodule.c: TaskStepMethWrapper.sw_task (since 3.12 its name has its module before it); a builtin function, task_wakeup, of the task; up to 3.9 an object of
/// its own. Lib/asyncio/tasks.py: a method of the task.
Address StepReader::task_of_callback(Address callback) {
  const Layout &layout = objects_.layout();
  const std::string_view name = objects_.type_of_object(callback).name;
  const std::string_view type = name.substr(name.rfind('.') + 1);
  Address task = 0;
  if (type == "TaskStepMethWrapper") {
    task = objects_.memory().pointer(callback + layout.sizeof_object);
  } else if (type == "builtin_function_or_method") {
    task = objects_.memory().pointer(callback + layout.cfunction_self);
  } else if (type == "TaskWakeupMethWrapper") {
    task = objects_.memory().pointer(callback + layout.wakeup_task);
  } else if (type == "method") {
    task = objects_.memory().pointer(callback + layout.method_self);
  }
  return tasks_.futures().is_task(task) ? task : 0;
}

/// By asking every task, if it is not one that was found before.
Address StepReader::task_of_coroutine(Address frame) {
  const auto is_its = [&](Address task) {
    return tasks_.futures().is_task(task) && tasks_.coroutine_frame(task) == frame;
  };
  const auto known = found_.find(frame);
  if (known != found_.end() && is_its(known->second)) {
    return known->second;
  }
  const TaskReader::Places places = tasks_.places();
  tasks_.prefetch_heads(places.tasks);
  const auto task = std::find_if(places.tasks.begin(), places.tasks.end(), is_its);
  if (task == places.tasks.end()) {
    return 0;
  }
  if (found_.size() >= k_max_found) {
    found_.clear();
  }
  found_[frame] = *task;
  return *task;
}

std::size_t StepReader::callers_of_loop(const PythonStack &stack, std::size_t index, Address task) {
  const auto &frames = stack.frames;
  const bool inside = std::any_of(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(index),
                                  [](const PythonFrame &frame) { return frame.of_generator; });
  for (std::size_t i = inside ? index : 0; i-- > 0;) {
    if (role(stack, i) != FunctionRole::runs_until) {
      continue;
    }
    const Address until = roles_.held(*roles_.rule(frames[i].frame), frames[i].address, frames[i].frame.code);
    if (until == 0 || (until != task && until != tasks_.futures().coroutine(task))) {
      continue;
    }
    const auto leads_to_loop = [&](std::size_t at) {
      return role(stack, at) == FunctionRole::runs_until || role(stack, at) == FunctionRole::starts_loop;
    };
    while (i > 0 && leads_to_loop(i - 1)) {
      --i;
    }
    for (std::size_t below = i; below-- > 0;) {
      if (entry(stack, below)) {
        return i;
      }
    }
    return 0;
  }
  return 0;
}

} // namespace awaitscope
