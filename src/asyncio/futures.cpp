#include "awaitscope/asyncio/futures.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace awaitscope {
namespace {

constexpr int k_max_bases = 32;
constexpr std::size_t k_max_kinds = 4096;
constexpr std::int64_t k_largest_future = 1024;

FutureLayout native_layout(const Layout &layout, const TypeInfo &future) {
  FutureLayout native;
  const auto size = static_cast<Offset>(future.basic_size);
  native.loop = layout.future_loop;
  native.callback = layout.future_callback;
  native.callbacks = layout.future_callbacks;
  const bool own_dict = future.dict_offset > static_cast<std::int64_t>(layout.future_state_before_dict) &&
                        future.dict_offset < future.basic_size;
  native.state = own_dict ? static_cast<Offset>(future.dict_offset) - layout.future_state_before_dict
                          : size - layout.future_state_before_end;
  native.waiter = size + layout.task_waiter_after_future;
  native.coroutine = native.waiter + layout.task_coroutine_after_waiter;
  native.name = native.waiter + layout.task_name_after_waiter;
  native.node = layout.task_node_after_waiter == k_absent ? k_absent : native.waiter + layout.task_node_after_waiter;
  if (layout.task_coroutine != k_absent) { // the target says it itself
    native.waiter = layout.task_coroutine - layout.task_coroutine_after_waiter;
    native.coroutine = layout.task_coroutine;
    native.name = layout.task_name;
    native.node = layout.task_node;
  }
  return native;
}

} // namespace

std::string given_name(const std::string &name) {
  constexpr std::string_view k_prefix = "Task-";
  const bool serial = name.size() > k_prefix.size() && name.compare(0, k_prefix.size(), k_prefix) == 0 &&
                      name.find_first_not_of("0123456789", k_prefix.size()) == std::string::npos;
  return serial ? std::string() : name;
}

bool FutureReader::locate(InterpreterReader &interpreters, Address interpreter) {
  const Address tasks = interpreters.module_dict(interpreter, "asyncio.tasks");
  const Address futures = interpreters.module_dict(interpreter, "asyncio.futures");
  if (tasks == 0 || futures == 0) {
    return false;
  }
  const Address python_task = objects_.dict_value(tasks, "_PyTask");
  const Address python_future = objects_.dict_value(futures, "_PyFuture");
  const Address native = objects_.dict_value(interpreters.module_dict(interpreter, "_asyncio"), "Future");
  const TypeInfo type = native == 0 ? TypeInfo{} : objects_.type(native);
  const bool sane = type.valid && type.basic_size <= k_largest_future &&
                    type.basic_size >= static_cast<std::int64_t>(objects_.layout().future_callbacks) + 8;
  if (sane) {
    layout_ = native_layout(objects_.layout(), type);
  }
  kinds_.clear();
  if (python_task != 0 && python_future != 0) {
    python_tasks_.push_back(python_task);
    python_futures_.push_back(python_future);
  }
  return sane || (python_task != 0 && python_future != 0);
}

void FutureReader::forget() {
  python_tasks_.clear();
  python_futures_.clear();
  kinds_.clear();
}

FutureReader::Kind FutureReader::classify(Address type) {
  for (int depth = 0; type != 0 && depth < k_max_bases; ++depth) {
    const TypeInfo &info = objects_.type(type);
    if (!info.valid) {
      return Kind::other;
    }
    if (info.name == "_asyncio.Task" || info.name == "_asyncio.Future") {
      return layout_.waiter == k_absent     ? Kind::other
             : info.name == "_asyncio.Task" ? Kind::native_task
                                            : Kind::native_future;
    }
    const auto is_one_of = [&](const std::vector<Address> &classes) {
      return std::find(classes.begin(), classes.end(), type) != classes.end();
    };
    if (is_one_of(python_tasks_) || is_one_of(python_futures_)) {
      return is_one_of(python_tasks_) ? Kind::python_task : Kind::python_future;
    }
    type = info.base;
  }
  return Kind::other;
}

FutureReader::Kind FutureReader::kind_of(Address object) {
  const Address type = object == 0 ? 0 : objects_.type_of(object);
  if (type == 0) {
    return Kind::other;
  }
  const auto known = kinds_.find(type);
  if (known != kinds_.end()) {
    return known->second;
  }
  const Kind kind = classify(type);
  if (kind != Kind::other && kinds_.size() < k_max_kinds) { // what is none may be something else later
    kinds_.emplace(type, kind);
  }
  return kind;
}

bool FutureReader::is_task(Address object) {
  const Kind kind = kind_of(object);
  return kind == Kind::native_task || kind == Kind::python_task;
}

bool FutureReader::is_native(Address object) {
  const Kind kind = kind_of(object);
  return kind == Kind::native_task || kind == Kind::native_future;
}

bool FutureReader::is_concurrent(Address object) {
  // Lib/concurrent/futures/_base.py: a class of its own, or of a subclass; asyncio's have no _condition.
  return object != 0 && kind_of(object) == Kind::other && objects_.is_kind(objects_.type_of(object), "Future") &&
         objects_.attribute(object, "_condition") != 0;
}

std::optional<std::vector<Address>> FutureReader::callbacks(Address future) {
  SnapshotMemory &memory = objects_.memory();
  std::vector<Address> found;
  Address list = 0;
  if (is_native(future)) {
    const auto first = memory.get<Address>(future + layout_.callback);
    const auto more = memory.get<Address>(future + layout_.callbacks);
    if (!first || !more) {
      return std::nullopt;
    }
    if (*first != 0) {
      found.push_back(*first);
    }
    list = *more;
  } else {
    list = objects_.attribute(future, "_callbacks");
  }
  if (list == 0 || objects_.type_of_object(list).name != "list") {
    return found; // NULL or None: no further ones
  }
  const auto pairs = objects_.list_elements(list); // of (callback, context)
  if (!pairs) {
    return std::nullopt;
  }
  for (const Address pair : *pairs) {
    found.push_back(memory.pointer(pair + objects_.layout().tuple_items));
  }
  return found;
}

std::vector<Address> FutureReader::concurrent_callbacks(Address future) {
  return objects_.list_elements(objects_.attribute(future, "_done_callbacks")).value_or(std::vector<Address>{});
}

bool FutureReader::is_done(Address future) {
  if (is_native(future)) {
    return objects_.memory().get<std::uint32_t>(future + layout_.state).value_or(0) != 0;
  }
  return objects_.text(objects_.attribute(future, "_state")).value_or("PENDING") != "PENDING";
}

Address FutureReader::loop(Address future) {
  return is_native(future) ? objects_.memory().pointer(future + layout_.loop) : objects_.attribute(future, "_loop");
}

Address FutureReader::coroutine(Address task) {
  return is_native(task) ? objects_.memory().pointer(task + layout_.coroutine) : objects_.attribute(task, "_coro");
}

Address FutureReader::waits_for(Address task) {
  if (is_native(task)) {
    return objects_.memory().pointer(task + layout_.waiter);
  }
  const Address waiter = objects_.attribute(task, "_fut_waiter");
  return is_future(waiter) ? waiter : 0; // else None
}

std::string FutureReader::name(Address task) {
  const Address name =
      is_native(task) ? objects_.memory().pointer(task + layout_.name) : objects_.attribute(task, "_name");
  if (name == 0) {
    return {};
  }
  if (objects_.is_kind(objects_.type_of(name), "int")) { // 3.12+: until somebody asks for it
    return fmt::format("Task-{}", objects_.integer(name).value_or(0));
  }
  return objects_.text(name).value_or("");
}

} // namespace awaitscope
