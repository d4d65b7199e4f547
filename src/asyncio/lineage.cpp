#include "awaitscope/asyncio/lineage.hpp"

#include <algorithm>

#include "awaitscope/integrations/greenlet.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_max_remembered = 4096;

} // namespace

void LineageReader::append(const Place &place, std::size_t from, std::size_t to, FrameKind kind,
                           StackSegment &segment) const {
  std::vector<Frame> &frames = segment.frames;
  if (frames.empty()) {
    frames.reserve(to - from);
  }
  if (place.stack == own_stack_ && to > from) {
    OwnFrames *const last = segment.own.empty() ? nullptr : &segment.own.back();
    if (last != nullptr && last->at + last->count == frames.size() && last->first + last->count == from) {
      last->count += to - from;
    } else {
      segment.own.push_back({frames.size(), from, to - from});
    }
  }
  for (std::size_t i = from; i < to; ++i) {
    frames.push_back(place.stack->frames[i].frame);
    if (frames.back().kind == FrameKind::python) {
      frames.back().kind = kind;
    }
  }
}

Address LineageReader::work_item_future(const PythonFrame &frame) {
  // A work item that has failed has dropped itself (`self = None`): it has no future then.
  const FunctionRule *rule = roles_.rule(frame.frame);
  return rule != nullptr && rule->role == FunctionRole::work_item ? roles_.held(*rule, frame.address, frame.frame.code)
                                                                  : 0;
}

std::vector<Address> LineageReader::work_items(const PythonStack &stack) {
  std::vector<Address> futures;
  for (const PythonFrame &frame : stack.frames) {
    if (const Address future = work_item_future(frame); future != 0) {
      futures.push_back(future);
    }
  }
  return futures;
}

Address LineageReader::running_loop(const ThreadEntry &thread, const PythonStack &stack) {
  if (const Address loop = tasks_.running_loop(thread); loop != 0) {
    return loop;
  }
  const auto frame = std::find_if(stack.frames.rbegin(), stack.frames.rend(), [&](const PythonFrame &candidate) {
    return roles_.role(candidate.frame) == FunctionRole::runs_loop;
  });
  return frame == stack.frames.rend() ? 0 : stacks_.local(frame->address, 0);
}

/// Where the frames of a place stop being what they look like: the coroutine of a task, or a work item.
LineageReader::Mark LineageReader::innermost_mark(const Place &place) {
  const auto &frames = place.stack->frames;
  const bool any = std::any_of(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(place.end),
                               [](const PythonFrame &frame) { return frame.of_generator; });
  std::vector<std::pair<Address, Address>> coroutines; // frame, task
  if (any && tasks_.located()) {
    for (const Address task : tasks_.current_tasks({place.thread_state})) {
      const Address frame = tasks_.coroutine_frame(task);
      if (frame != 0) {
        coroutines.emplace_back(frame, task);
      }
    }
  }
  for (std::size_t i = place.end; i-- > 0;) {
    for (const auto &[frame, task] : coroutines) {
      if (frames[i].address == frame) {
        return {Mark::Kind::task, i, task, 0};
      }
    }
    if (const Address future = work_item_future(frames[i]); future != 0) {
      return {Mark::Kind::work_item, i, future, 0};
    }
  }
  return {};
}

/// The same of the callers of a task: a thread may be in other tasks further down, none of them its current one.
LineageReader::Mark LineageReader::mark_of_callers(const Place &place) {
  for (std::size_t i = place.end; i-- > 0;) {
    if (const std::optional<StepReader::Entry> entry = steps_.entry(*place.stack, i)) {
      return {Mark::Kind::task, i, entry->task, entry->coroutine};
    }
    if (const Address future = work_item_future(place.stack->frames[i]); future != 0) {
      return {Mark::Kind::work_item, i, future, 0};
    }
  }
  return {};
}

const PythonStack &LineageReader::stack_of(Address thread_state) {
  if (thread_state == own_thread_) {
    return *own_stack_;
  }
  const auto [entry, added] = other_stacks_.try_emplace(thread_state);
  if (added) {
    stacks_.read(thread_state, entry->second);
  }
  return entry->second;
}

/// The place in this thread's stack that waits for the future; nothing if none does.
std::optional<LineageReader::Place> LineageReader::waits_in(Address thread_state, Address future) {
  const PythonStack &stack = stack_of(thread_state);
  for (std::size_t i = stack.frames.size(); i-- > 0;) {
    const FunctionRule *rule = roles_.rule(stack.frames[i].frame);
    const bool asks = rule != nullptr && rule->role == FunctionRole::asks_loop;
    if (rule == nullptr || !(asks || rule->role == FunctionRole::waits)) {
      continue;
    }
    if (roles_.held(*rule, stack.frames[i].address, stack.frames[i].frame.code) == future) {
      return Place{thread_state, &stack, asks ? i + 1 : i};
    }
  }
  return std::nullopt;
}

std::optional<LineageReader::Place> LineageReader::waiting_thread(Address future) {
  const auto known = waiters_.find(future);
  if (known != waiters_.end()) {
    if (std::optional<Place> place = waits_in(known->second, future)) {
      return place;
    }
    waiters_.erase(known);
  }
  for (const ThreadEntry &thread : interpreters_.threads()) {
    if (std::optional<Place> place = waits_in(thread.state, future)) {
      if (waiters_.size() >= k_max_remembered) {
        waiters_.clear();
      }
      waiters_.emplace(future, thread.state);
      return place;
    }
  }
  return std::nullopt;
}

/// The concurrent.futures.Future that a root task finishes, and some thread may wait for.
Address LineageReader::awaited_result(Address task) {
  if (const Address chained = tasks_.waiters().chained_destination(task); chained != 0) {
    return chained; // asyncio.run_coroutine_threadsafe
  }
  return finished_by(task);
}

/// The same, if the task's coroutine itself finishes it.
Address LineageReader::finished_by(Address task) {
  const Address frame = tasks_.coroutine_frame(task);
  const std::optional<RawFrame> raw = frame == 0 ? std::nullopt : stacks_.raw_frame(frame);
  const std::optional<CodeId> code = raw ? codes_.find(raw->code) : std::nullopt;
  const FunctionRule *rule = code ? roles_.rule({*code, 0, FrameKind::python}) : nullptr;
  const Address future = rule != nullptr && rule->role == FunctionRole::finishes ? roles_.held(*rule, frame, *code) : 0;
  return tasks_.futures().is_concurrent(future) ? future : 0;
}

/// What waits for the innermost work item in these frames of a thread that runs a loop.
std::optional<LineageReader::Place> LineageReader::starter_of_loop(const PythonStack &stack, std::size_t end,
                                                                   Lineage &lineage) {
  for (std::size_t i = end; i-- > 0;) {
    if (const Address future = work_item_future(stack.frames[i]); future != 0) {
      return seen_.insert(future).second ? climb_from_work_item(future, lineage) : std::nullopt;
    }
  }
  return std::nullopt;
}

/// A root task for whose sake a work item runs a loop of its own (asgiref's async_to_sync without a main loop). It may be suspended; the thread is found by the loop.
std::optional<LineageReader::Place> LineageReader::starter_of_suspended(Address task, Lineage &lineage) {
  if (roles_.role_of_label(tasks_.label(task)) != FunctionRole::wraps_loop) {
    return std::nullopt;
  }
  const Address loop = tasks_.futures().loop(task);
  for (const ThreadEntry &thread : interpreters_.threads()) {
    const PythonStack &stack = stack_of(thread.state);
    if (loop != 0 && running_loop(thread, stack) == loop) {
      return starter_of_loop(stack, stack.frames.size(), lineage);
    }
  }
  return std::nullopt;
}

/// From a task whose segment is in the lineage already, up to the root task; from there to a thread that waits.
std::optional<LineageReader::Place> LineageReader::climb_tasks(Address task, Lineage &lineage) {
  while (lineage.segments.size() < k_max_segments) {
    const WaiterReader::Waiter waiter = tasks_.waiters().first(task);
    lineage.segments.back().missing_above = !waiter.whole && waiter.task == 0;
    if (waiter.task == 0 || !seen_.insert(waiter.task).second) {
      break;
    }
    task = waiter.task;
    StackSegment segment;
    tasks_.suspended_segment(task, segment, waiter.group);
    lineage.segments.push_back(std::move(segment));
  }
  const Address result = awaited_result(task);
  if (result != 0 && seen_.insert(result).second) {
    if (std::optional<Place> place = waiting_thread(result)) {
      return place;
    }
  }
  root_task_ = task;
  return std::nullopt;
}

/// Accounts for the frames of a place. The next place to look at, or nothing at the root.
std::optional<LineageReader::Place> LineageReader::climb_from(const Place &place, Lineage &lineage) {
  const Mark mark = place.below_task ? mark_of_callers(place) : innermost_mark(place);
  if (mark.kind == Mark::Kind::task) {
    return climb_from_task(place, mark, lineage);
  }
  if (const Address task = mark.kind == Mark::Kind::none ? switched_task(place) : 0; task != 0) {
    return climb_from_switched(place, task, lineage);
  }
  StackSegment segment;
  if (mark.kind == Mark::Kind::work_item && seen_.insert(mark.object).second) {
    append(place, 0, mark.index + 1, FrameKind::loop, segment);
    append(place, mark.index + 1, place.end, FrameKind::python, segment);
    segment.request = tasks_.requests().find(*place.stack, 0, place.end, 0, place.thread_state);
    lineage.segments.push_back(segment);
    const std::size_t below = lineage.segments.size();
    const std::optional<Place> up = climb_from_work_item(mark.object, lineage);
    if (up || lineage.segments.size() != below) {
      return up;
    }
    lineage.segments.pop_back(); // nobody waits: what runs it is no machinery of anybody's
    segment = {};
  }
  append(place, 0, place.end, FrameKind::python, segment);
  segment.request = tasks_.requests().find(*place.stack, 0, place.end, 0, place.thread_state);
  lineage.segments.push_back(std::move(segment));
  lineage.root_thread = place.thread_state;
  return std::nullopt;
}

/// The task of a thread that is in another greenlet. Asked only of a stack that does not begin as threads' stacks do.
Address LineageReader::switched_task(const Place &place) {
  const auto &frames = place.stack->frames;
  if (place.below_task || frames.empty() || frames.front().frame.kind != FrameKind::python || !tasks_.located()) {
    return 0;
  }
  const std::string_view first = codes_.info(frames.front().frame.code).function;
  const bool usual = std::find(k_first_functions.begin(), k_first_functions.end(), first) != k_first_functions.end();
  return usual ? 0 : tasks_.switched_task(place.thread_state, *place.stack);
}

std::optional<LineageReader::Place> LineageReader::climb_from_switched(const Place &place, Address task,
                                                                       Lineage &lineage) {
  StackSegment inner;
  append(place, 0, place.end, FrameKind::python, inner);
  inner.request = tasks_.requests().find(*place.stack, 0, place.end, 0, place.thread_state);
  lineage.segments.push_back(std::move(inner));
  if (lineage.running_task == 0 && place.thread_state == own_thread_) {
    lineage.running_task = task;
  }
  if (!seen_.insert(task).second) {
    return std::nullopt;
  }
  StackSegment segment;
  tasks_.switched_segment(task, segment);
  lineage.segments.push_back(std::move(segment));
  return climb_tasks(task, lineage);
}

std::optional<LineageReader::Place> LineageReader::climb_from_work_item(Address future, Lineage &lineage) {
  WaiterReader::Waiter waiter;
  if (tasks_.located()) {
    waiter = tasks_.waiters().first(future);
    lineage.segments.back().missing_above = !waiter.whole && waiter.task == 0;
  }
  if (waiter.task == 0 || !seen_.insert(waiter.task).second) {
    // A thread can wait for a concurrent.futures.Future only.
    return tasks_.located() && tasks_.futures().is_future(future) ? std::nullopt : waiting_thread(future);
  }
  StackSegment suspended;
  tasks_.suspended_segment(waiter.task, suspended, waiter.group);
  lineage.segments.push_back(std::move(suspended));
  const std::optional<Place> up = climb_tasks(waiter.task, lineage);
  return up ? up : starter_of_suspended(root_task_, lineage);
}

std::optional<LineageReader::Place> LineageReader::climb_from_task(const Place &place, const Mark &mark,
                                                                   Lineage &lineage) {
  StackSegment segment;
  segment.frames.reserve(place.end - mark.index);
  for (std::size_t i = mark.index; i < place.end; ++i) {
    append(place, i, i + 1, FrameKind::python, segment);
    tasks_.coroutines().add_greenlet(*place.stack, i, segment.frames);
  }
  segment.request = tasks_.requests().find(*place.stack, mark.index, place.end, mark.object, place.thread_state);
  segment.begins_task = true;
  segment.coroutine = mark.object == 0 ? tasks_.label_of_coroutine(mark.coroutine) : tasks_.label(mark.object);
  lineage.segments.push_back(std::move(segment));
  if (lineage.running_task == 0 && place.thread_state == own_thread_ && !place.below_task) {
    lineage.running_task = mark.object;
  }
  if (mark.object == 0 || steps_.begins_in_call(*place.stack, mark.index)) {
    seen_.insert(mark.object);
    return Place{place.thread_state, place.stack, mark.index, true};
  }
  seen_.insert(mark.object);
  std::optional<Place> up = climb_tasks(mark.object, lineage);
  const std::size_t callers = up ? 0 : steps_.callers_of_loop(*place.stack, mark.index, root_task_);
  StackSegment loop;
  append(place, callers, mark.index, FrameKind::loop, loop);
  loop.request = tasks_.requests().find(*place.stack, callers, mark.index, 0, place.thread_state);
  lineage.segments.push_back(std::move(loop));
  if (callers != 0) {
    return Place{place.thread_state, place.stack, callers, true};
  }
  // The loop itself may be a work item that somebody waits for.
  return up ? up : starter_of_loop(*place.stack, mark.index, lineage);
}

void LineageReader::begin(Address thread_state, const PythonStack *stack, Lineage &lineage) {
  lineage.clear();
  other_stacks_.clear();
  seen_.clear();
  root_task_ = 0;
  own_thread_ = thread_state;
  own_stack_ = stack;
}

void LineageReader::finish(std::optional<Place> place, RootNames names, Lineage &lineage) {
  while (place && lineage.segments.size() < k_max_segments) {
    place = climb_from(*place, lineage);
  }
  if (lineage.segments.size() >= k_max_segments) {
    lineage.segments.back().missing_above = true;
  }
  choose_request(lineage);
  lineage.root_task = lineage.root_thread == 0 ? root_task_ : 0;
  if (names == RootNames::read && lineage.root_task != 0) {
    lineage.root_name = tasks_.given_name(lineage.root_task);
  }
}

/// That of the outermost segment that has one.
void LineageReader::choose_request(Lineage &lineage) {
  for (auto segment = lineage.segments.rbegin(); segment != lineage.segments.rend(); ++segment) {
    tasks_.requests().complete(segment->request);
    if (segment->request.object != 0) {
      lineage.request = segment->request;
      return;
    }
  }
}

void LineageReader::trace(Address thread_state, const PythonStack &stack, RootNames names, Lineage &lineage) {
  begin(thread_state, &stack, lineage);
  finish(Place{thread_state, &stack, stack.frames.size()}, names, lineage);
}

void LineageReader::trace_suspended(Address task, RootNames names, Lineage &lineage) {
  begin(0, nullptr, lineage);
  seen_.insert(task);
  StackSegment segment;
  tasks_.suspended_segment(task, segment);
  lineage.segments.push_back(std::move(segment));
  const std::optional<Place> up = climb_tasks(task, lineage);
  finish(up ? up : starter_of_suspended(root_task_, lineage), names, lineage);
}

} // namespace awaitscope
