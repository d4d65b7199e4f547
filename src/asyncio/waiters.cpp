#include "awaitscope/asyncio/waiters.hpp"

#include <algorithm>
#include <array>

namespace awaitscope {
namespace {

constexpr unsigned k_max_depth = 64;

/// A callback that asyncio adds to a future on behalf of another one, and where it keeps that other one.
struct CallbackRule {
  std::string_view function;
  std::string_view holder; ///< a free variable of a closure, or an attribute of a bound method's self
};

// Lib/asyncio/tasks.py: each closure finishes the future in this cell.
constexpr std::array k_closures{
    CallbackRule{"gather.<locals>._done_callback", "outer"},
    CallbackRule{"_gather.<locals>._done_callback", "outer"}, // 3.9
    CallbackRule{"_wait.<locals>._on_completion", "waiter"},
    CallbackRule{"shield.<locals>._inner_done_callback", "outer"},
};

// Lib/asyncio/taskgroups.py: a method of an object that names the waiting task.
constexpr std::array k_methods{
    CallbackRule{"TaskGroup._on_task_done", "_parent_task"},
};

// Lib/asyncio/tasks.py, as_completed: what is done goes into a Queue, and whoever waits is one of its getters. A closure's
// cell before 3.13, an attribute of the iterator since.
constexpr CallbackRule k_queue_closure{"as_completed.<locals>._on_completion", "done"};
constexpr CallbackRule k_queue_method{"_AsCompletedIterator._handle_completion", "_done"};

// Lib/asyncio/tasks.py up to 3.11: wait_for adds partial(_release_waiter, waiter).
constexpr std::string_view k_release_waiter = "_release_waiter";

template <std::size_t N>
const CallbackRule *rule_for(const std::array<CallbackRule, N> &rules, std::string_view function) {
  const auto found =
      std::find_if(rules.begin(), rules.end(), [&](const CallbackRule &rule) { return rule.function == function; });
  return found == rules.end() ? nullptr : &*found;
}

} // namespace

bool WaiterReader::is_task(Address object) {
  return object != 0 && objects_.is_kind(objects_.type_of(object), "_asyncio.Task");
}

bool WaiterReader::is_future(Address object) {
  return object != 0 && objects_.is_kind(objects_.type_of(object), "_asyncio.Future");
}

bool WaiterReader::find(Address future, std::vector<Address> &tasks, std::size_t most) {
  Search search{tasks, most, {}, true};
  visit_future(future, search, 0);
  return search.whole;
}

void WaiterReader::add_task(Address task, Search &search) {
  if (std::find(search.tasks.begin(), search.tasks.end(), task) == search.tasks.end()) {
    search.tasks.push_back(task);
  }
}

std::optional<std::vector<Address>> WaiterReader::callbacks_of(Address future) {
  SnapshotMemory &memory = objects_.memory();
  const auto first = memory.get<Address>(future + future_.callback);
  const auto more = memory.get<Address>(future + future_.callbacks);
  if (!first || !more) {
    return std::nullopt;
  }
  std::vector<Address> callbacks;
  if (*first != 0) {
    callbacks.push_back(*first);
  }
  if (*more == 0 || objects_.type_of_object(*more).name != "list") {
    return callbacks; // NULL or None: no further ones
  }
  const auto pairs = objects_.list_elements(*more); // of (callback, context)
  if (!pairs) {
    return std::nullopt;
  }
  for (const Address pair : *pairs) {
    callbacks.push_back(memory.pointer(pair + objects_.layout().tuple_items));
  }
  return callbacks;
}

void WaiterReader::visit_future(Address future, Search &search, unsigned depth) {
  if (depth > k_max_depth || !search.seen.insert(future).second) {
    return;
  }
  const std::optional<std::vector<Address>> callbacks = callbacks_of(future);
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
    if (is_task(self)) { // the task's own wakeup
      add_task(self, search);
    }
  } else if (type.name == "TaskWakeupMethWrapper") { // what it was up to 3.9
    const Address task = objects_.memory().pointer(callback + objects_.layout().wakeup_task);
    if (is_task(task)) {
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

void WaiterReader::visit_function(Address function, Search &search, unsigned depth) {
  const std::optional<Function> known = asyncio_function(function);
  if (known && known->name == k_queue_closure.function) {
    visit_queue(closure_cell(function, known->code, k_queue_closure.holder), search, depth);
    return;
  }
  const CallbackRule *rule = known ? rule_for(k_closures, known->name) : nullptr;
  if (rule == nullptr) {
    return; // a callback of the program's own: nobody that waits
  }
  const Address future = closure_cell(function, known->code, rule->holder);
  if (is_future(future)) {
    visit_future(future, search, depth + 1);
  }
}

void WaiterReader::visit_queue(Address queue, Search &search, unsigned depth) {
  for (const Address getter :
       objects_.deque_elements(objects_.attribute(queue, "_getters")).value_or(std::vector<Address>{})) {
    if (is_future(getter)) {
      visit_future(getter, search, depth + 1);
    }
  }
}

void WaiterReader::visit_method(Address method, Search &search, unsigned depth) {
  const Layout &layout = objects_.layout();
  const std::optional<Function> known = asyncio_function(objects_.memory().pointer(method + layout.method_function));
  if (known && known->name == k_queue_method.function) {
    visit_queue(objects_.attribute(objects_.memory().pointer(method + layout.method_self), k_queue_method.holder),
                search, depth);
    return;
  }
  const CallbackRule *rule = known ? rule_for(k_methods, known->name) : nullptr;
  if (rule == nullptr) {
    return;
  }
  const Address task = objects_.attribute(objects_.memory().pointer(method + layout.method_self), rule->holder);
  if (is_task(task)) {
    add_task(task, search);
  } else if (task == 0) {
    search.whole = false;
  }
}

void WaiterReader::visit_partial(Address partial, Search &search, unsigned depth) {
  const Layout &layout = objects_.layout();
  const std::optional<Function> known = asyncio_function(objects_.memory().pointer(partial + layout.partial_function));
  if (!known || known->name != k_release_waiter) {
    return;
  }
  const auto arguments = objects_.tuple_elements(objects_.memory().pointer(partial + layout.partial_args));
  if (arguments && !arguments->empty() && is_future(arguments->front())) {
    visit_future(arguments->front(), search, depth + 1);
  }
}

Address WaiterReader::chained_source(Address future) {
  // Lib/asyncio/futures.py, _chain_future(source, destination): the destination's own callback knows the source.
  for (const Address callback : callbacks_of(future).value_or(std::vector<Address>{})) {
    const std::optional<Function> known = asyncio_function(callback);
    if (known && known->name == "_chain_future.<locals>._call_check_cancel") {
      return closure_cell(callback, known->code, "source");
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
