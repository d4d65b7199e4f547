#include "awaitscope/asyncio/waiters.hpp"

#include <algorithm>

namespace awaitscope {
namespace {

constexpr unsigned k_max_await_depth = 64;

// Lib/asyncio/futures.py, _chain_future.
constexpr std::string_view k_chain = "_chain_future.<locals>._call_set_state";

// Lib/asyncio/tasks.py: the pure Python Task's own wakeup, a bound method of the task that waits.
constexpr std::string_view k_wakeup = "Task.__wakeup";

// Lib/asyncio/tasks.py up to 3.11: wait_for adds partial(_release_waiter, waiter).
constexpr std::string_view k_release_waiter = "_release_waiter";

} // namespace

WaiterReader::Waiters WaiterReader::find(Address future, std::size_t most) {
  Waiters found;
  Search search{found.tasks, most, {}, true, 0};
  visit_future(future, search, 0);
  if (search.tasks.size() < most && futures_.is_task(future)) {
    visit_race(future, search);
  }
  found.first_group = search.first_group;
  return found;
}

/// Lib/asyncio/staggered.py up to 3.12: each racer starts the next one and adds it to `running_tasks`; staggered_race() waits
/// for those that were in there when it looked, and for the others later. Who waits for one of them waits for each.
void WaiterReader::visit_race(Address task, Search &search) {
  constexpr std::string_view k_racer = "run_one_coro";
  const Address frame = coroutines_.frame_of(futures_.coroutine(task));
  const std::optional<RawFrame> raw = frame == 0 ? std::nullopt : stacks_.raw_frame(frame);
  const std::optional<CodeId> code = raw ? codes_.find(raw->code) : std::nullopt;
  if (!code) {
    return;
  }
  const CodeInfo &info = codes_.info(*code);
  const std::string_view name = info.function;
  if (name.substr(name.size() - std::min(name.size(), k_racer.size())) != k_racer ||
      info.file.find("asyncio/staggered") == std::string::npos || futures_.is_done(task)) {
    return;
  }
  const Address racers = stacks_.free_variable(*raw, *code, "running_tasks");
  for (const Address racer : objects_.list_elements(racers).value_or(std::vector<Address>{})) {
    if (futures_.is_task(racer)) {
      visit_future(racer, search, 1);
    }
  }
}

void WaiterReader::add_task(Address task, Search &search) {
  if (std::find(search.tasks.begin(), search.tasks.end(), task) == search.tasks.end()) {
    search.tasks.push_back(task);
  }
}

bool WaiterReader::find_concurrent(Address future, std::vector<Address> &tasks, std::size_t most) {
  Search search{tasks, most, {}, true, 0};
  visit_any(future, search, 0);
  return search.whole;
}

WaiterReader::Waiter WaiterReader::first(Address future) {
  std::vector<Address> tasks;
  Search search{tasks, 1, {}, true, 0};
  visit_any(future, search, 0);
  if (tasks.empty() && futures_.is_task(future)) {
    visit_race(future, search);
  }
  return {tasks.empty() ? 0 : tasks.front(), search.first_group, search.whole};
}

/// A future of either kind, or a task that waits itself.
void WaiterReader::visit_any(Address object, Search &search, unsigned depth) {
  if (futures_.is_future(object)) {
    visit_future(object, search, depth);
  } else if (futures_.is_concurrent(object) && depth <= k_max_await_depth && search.seen.insert(object).second) {
    for (const Address callback : futures_.concurrent_callbacks(object)) {
      visit_callback(callback, search, depth);
    }
  }
}

void WaiterReader::visit_future(Address future, Search &search, unsigned depth) {
  if (depth > k_max_await_depth || !search.seen.insert(future).second) {
    return;
  }
  const std::optional<std::vector<Address>> callbacks = futures_.callbacks(future);
  if (!callbacks) {
    search.whole = false;
    return;
  }
  for (const Address callback : *callbacks) {
    if (search.tasks.size() >= search.most) {
      return;
    }
    visit_callback(callback, search, depth);
  }
}

void WaiterReader::visit_callback(Address callback, Search &search, unsigned depth) {
  const TypeInfo &type = objects_.type_of_object(callback);
  if (!type.valid) {
    search.whole = false;
  } else if (type.name == "builtin_function_or_method") {
    const Address self = objects_.memory().pointer(callback + objects_.layout().cfunction_self);
    if (futures_.is_task(self)) { // the task's own wakeup
      add_task(self, search);
    }
  } else if (type.name == "TaskWakeupMethWrapper") { // what it was up to 3.9
    const Address task = objects_.memory().pointer(callback + objects_.layout().wakeup_task);
    if (futures_.is_task(task)) {
      add_task(task, search);
    }
  } else if (type.name == "function") {
    visit_function(callback, search, depth);
  } else if (type.name == "method") {
    visit_method(callback, search, depth);
  } else if (type.name == "functools.partial") {
    visit_partial(callback, search, depth);
  }
}

std::optional<WaiterReader::Function> WaiterReader::asyncio_function(Address function) {
  if (objects_.type_of_object(function).name != "function") {
    return std::nullopt;
  }
  const Layout &layout = objects_.layout();
  const std::optional<CodeId> code = codes_.find(objects_.memory().pointer(function + layout.func_code));
  if (!code || codes_.info(*code).file.find("asyncio") == std::string::npos) {
    return std::nullopt;
  }
  const auto known = layout.has_qualname ? function_names_.end() : function_names_.find(*code);
  if (layout.has_qualname || known != function_names_.end()) {
    return Function{*code, layout.has_qualname ? codes_.info(*code).function : known->second};
  }
  const auto name = objects_.text(objects_.memory().pointer(function + layout.func_qualname));
  return name ? std::optional(Function{*code, function_names_.emplace(*code, *name).first->second}) : std::nullopt;
}

const CallbackRule *WaiterReader::callback_rule(const std::optional<Function> &function) {
  return function ? awaitscope::callback_rule(function->name, codes_.info(function->code).file) : nullptr;
}

void WaiterReader::visit_function(Address function, Search &search, unsigned depth) {
  const std::optional<Function> known = asyncio_function(function);
  const CallbackRule *rule = callback_rule(known);
  if (rule != nullptr && !rule->cell.empty()) { // else a callback of the program's own: nobody that waits
    visit_rule(*rule, closure_cell(function, known->code, rule->cell), search, depth);
  }
}

void WaiterReader::visit_rule(const CallbackRule &rule, Address object, Search &search, unsigned depth) {
  switch (rule.leads) {
  case CallbackRule::Leads::future:
    visit_any(object, search, depth + 1);
    break;
  case CallbackRule::Leads::queue:
    visit_queue(object, search, depth);
    break;
  case CallbackRule::Leads::group:
    visit_group(rule, object, search);
    break;
  }
}

void WaiterReader::visit_group(const CallbackRule &rule, Address group, Search &search) {
  Address owner = group;
  for (const std::string_view name : rule.owner) {
    owner = name.empty() || owner == 0 ? owner : objects_.attribute_or_slot(owner, name);
  }
  if (futures_.is_task(owner)) {
    search.first_group = search.tasks.empty() ? group : search.first_group;
    add_task(owner, search);
  } else if (owner == 0) {
    search.whole = false;
  }
}

void WaiterReader::visit_queue(Address queue, Search &search, unsigned depth) {
  for (const Address getter :
       objects_.deque_elements(objects_.attribute(queue, "_getters")).value_or(std::vector<Address>{})) {
    if (futures_.is_future(getter)) {
      visit_future(getter, search, depth + 1);
    }
  }
}

void WaiterReader::visit_method(Address method, Search &search, unsigned depth) {
  const Layout &layout = objects_.layout();
  const std::optional<Function> known = asyncio_function(objects_.memory().pointer(method + layout.method_function));
  const Address self = objects_.memory().pointer(method + layout.method_self);
  if (known && known->name == k_wakeup) {
    if (futures_.is_task(self)) {
      add_task(self, search);
    }
    return;
  }
  const CallbackRule *rule = callback_rule(known);
  if (rule != nullptr && rule->cell.empty()) {
    visit_rule(*rule, rule->attribute.empty() ? self : objects_.attribute(self, rule->attribute), search, depth);
  }
}

void WaiterReader::visit_partial(Address partial, Search &search, unsigned depth) {
  const Layout &layout = objects_.layout();
  const std::optional<Function> known = asyncio_function(objects_.memory().pointer(partial + layout.partial_function));
  if (!known || known->name != k_release_waiter) {
    return;
  }
  const auto arguments = objects_.tuple_elements(objects_.memory().pointer(partial + layout.partial_args));
  if (arguments && !arguments->empty() && futures_.is_future(arguments->front())) {
    visit_future(arguments->front(), search, depth + 1);
  }
}

Address WaiterReader::chained_destination(Address task) {
  for (const Address callback : futures_.callbacks(task).value_or(std::vector<Address>{})) {
    const std::optional<Function> known = asyncio_function(callback);
    const CallbackRule *rule = known && known->name == k_chain ? callback_rule(known) : nullptr;
    const Address other = rule == nullptr ? 0 : closure_cell(callback, known->code, rule->cell);
    if (futures_.is_concurrent(other)) {
      return other;
    }
  }
  return 0;
}

std::optional<std::size_t> WaiterReader::free_variable(Address code_address, CodeId code, std::string_view name) {
  const auto known = free_variables_.find(code);
  if (known != free_variables_.end()) {
    return known->second;
  }
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  const bool free_only = layout.co_freevars != k_absent;
  const Offset field = free_only ? layout.co_freevars : layout.co_localsplusnames;
  const auto names = objects_.tuple_elements(memory.pointer(code_address + field));
  const Address kinds = free_only ? 0 : memory.pointer(code_address + layout.co_localspluskinds);
  std::size_t index = 0;
  for (std::size_t i = 0; names && i < names->size(); ++i) {
    constexpr std::uint8_t k_free = 0x80; // CO_FAST_FREE, Include/internal/pycore_code.h
    if (!free_only && (memory.get<std::uint8_t>(kinds + layout.bytes_value + i).value_or(0) & k_free) == 0) {
      continue;
    }
    if (objects_.text((*names)[i]) == name) {
      free_variables_.emplace(code, index);
      return index;
    }
    ++index;
  }
  return std::nullopt;
}

Address WaiterReader::closure_cell(Address function, CodeId code, std::string_view name) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  const auto index = free_variable(memory.pointer(function + layout.func_code), code, name);
  const Address closure = memory.pointer(function + layout.func_closure);
  if (!index || closure == 0) {
    return 0;
  }
  const Address cell = memory.pointer(closure + layout.tuple_items + *index * 8);
  return cell == 0 ? 0 : memory.pointer(cell + layout.cell_contents);
}

} // namespace awaitscope
