#include "awaitscope/cpython/interpreter.hpp"

#include <cstddef>
#include <unordered_set>

#include <pthread.h>

namespace awaitscope {
namespace {

constexpr std::size_t k_max_interpreters = 4096;
constexpr std::size_t k_max_threads = 65536;
constexpr std::size_t k_max_paths = 1024;

} // namespace

const std::vector<Address> &InterpreterReader::interpreters() {
  SnapshotMemory &memory = objects_.memory();
  interpreters_.clear();
  std::unordered_set<Address> seen;
  Address at = memory.pointer(runtime_.address + runtime_.layout.rt_interpreters_head);
  while (at != 0 && interpreters_.size() < k_max_interpreters && seen.insert(at).second) {
    interpreters_.push_back(at);
    at = memory.pointer(at + runtime_.layout.is_next);
  }
  return interpreters_;
}

std::vector<ThreadEntry> InterpreterReader::threads(const std::function<bool(const ThreadEntry &)> &known) {
  // The newest comes first in every version: Python/pystate.c, new_threadstate() and later add_threadstate().
  const Layout &layout = runtime_.layout;
  SnapshotMemory &memory = objects_.memory();
  std::vector<ThreadEntry> found;
  std::unordered_set<Address> seen;
  for (const Address interpreter : interpreters()) {
    const auto id = memory.get<std::int64_t>(interpreter + layout.is_id).value_or(0);
    Address at = memory.pointer(interpreter + layout.is_threads_head);
    while (at != 0 && found.size() < k_max_threads && seen.insert(at).second) {
      ThreadEntry entry{at, interpreter, id, 0, 0};
      entry.thread_pointer = memory.pointer(at + layout.ts_thread_id);
      entry.native_id = native_id(at, entry.thread_pointer);
      if (known && known(entry)) {
        break;
      }
      if (entry.native_id != 0 && memory.pointer(at + layout.ts_interp) == interpreter) {
        found.push_back(entry);
      }
      at = memory.pointer(at + layout.ts_next);
    }
  }
  return found;
}

std::vector<Address> InterpreterReader::thread_pointers() {
  std::vector<Address> found;
  const Address interpreter = main_interpreter();
  Address at = objects_.memory().pointer(interpreter + runtime_.layout.is_threads_head);
  while (at != 0 && found.size() < k_max_threads) {
    if (const Address pointer = objects_.memory().pointer(at + runtime_.layout.ts_thread_id); pointer != 0) {
      found.push_back(pointer);
    }
    at = objects_.memory().pointer(at + runtime_.layout.ts_next);
  }
  return found;
}

ThreadId InterpreterReader::native_id(Address thread_state, Address thread_pointer) {
  const Offset field = runtime_.layout.ts_native_id;
  if (field != k_absent) {
    return static_cast<ThreadId>(objects_.memory().get<std::uint64_t>(thread_state + field).value_or(0));
  }
  if (thread_pointer == 0 || runtime_.descriptor_tid == k_absent) {
    return 0;
  }
  return objects_.memory().get<std::int32_t>(thread_pointer + runtime_.descriptor_tid).value_or(0);
}

std::uint64_t InterpreterReader::thread_generation() {
  std::uint64_t sum = 0;
  for (const Address interpreter : interpreters_) {
    sum += objects_.memory().get<std::uint64_t>(interpreter + runtime_.layout.is_next_thread_id).value_or(0) + 1;
  }
  return sum;
}

std::optional<GuardedWord> InterpreterReader::generation_word(std::uint64_t generation) const {
  if (interpreters_.size() != 1) {
    return std::nullopt;
  }
  return GuardedWord{interpreters_.front() + runtime_.layout.is_next_thread_id, ~std::uint64_t{0}, generation - 1};
}

bool InterpreterReader::same_thread(const ThreadEntry &entry) {
  const Layout &layout = runtime_.layout;
  SnapshotMemory &memory = objects_.memory();
  return memory.pointer(entry.state + layout.ts_interp) == entry.interpreter &&
         memory.pointer(entry.state + layout.ts_thread_id) == entry.thread_pointer &&
         native_id(entry.state, entry.thread_pointer) == entry.native_id;
}

Address InterpreterReader::main_interpreter() {
  return objects_.memory().pointer(runtime_.address + runtime_.layout.rt_interpreters_main);
}

Address InterpreterReader::gil_holder(Address interpreter) {
  const Layout &layout = runtime_.layout;
  SnapshotMemory &memory = objects_.memory();
  Address holder = runtime_.address + layout.rt_gil_holder;
  Address locked = runtime_.address + layout.rt_gil_locked;
  if (layout.is_gil != k_absent) {
    const Address gil = memory.pointer(interpreter + layout.is_gil);
    if (gil == 0) {
      return 0;
    }
    holder = gil + layout.gil_holder;
    locked = gil + layout.gil_locked;
  }
  return memory.get<std::int32_t>(locked).value_or(0) == 1 ? memory.pointer(holder) : 0;
}

/// Where a GIL says who holds it. Nothing if that cannot be read, or more than one thread can run Python at a time.
std::optional<Address> InterpreterReader::gil_place(Address interpreter) {
  const Layout &layout = runtime_.layout;
  if (layout.free_threaded) {
    return std::nullopt;
  }
  if (layout.is_gil == k_absent) {
    return runtime_.address + layout.rt_gil_holder;
  }
  if (gil_of_ != interpreter) {
    if (objects_.memory().remote().read(interpreter + layout.is_gil, &gil_, sizeof gil_) != ReadStatus::ok ||
        gil_ == 0) {
      return std::nullopt;
    }
    gil_of_ = interpreter; // it keeps its GIL for as long as it lives
  }
  return gil_ + layout.gil_holder;
}

std::optional<Address> InterpreterReader::gil_holder_now(Address interpreter) {
  const Layout &layout = runtime_.layout;
  const std::optional<Address> place = gil_place(interpreter);
  struct {
    Address holder;
    std::int32_t locked; // Include/internal/pycore_gil.h: right behind it
  } gil{};
  if (!place || layout.gil_locked != layout.gil_holder + offsetof(decltype(gil), locked) ||
      objects_.memory().remote().read(*place, &gil, sizeof gil.holder + sizeof gil.locked) != ReadStatus::ok) {
    return std::nullopt;
  }
  return gil.locked == 1 ? gil.holder : 0;
}

bool InterpreterReader::is_in_gil(Address interpreter, Address futex) {
  // Include/internal/pycore_gil.h, struct _gil_runtime_state: last_holder, locked, switch_number, then cond, mutex, switch_cond and
  // switch_mutex, as glibc has them.
  constexpr Address k_before = 24;
  constexpr Address k_conditions = 2 * (sizeof(pthread_cond_t) + sizeof(pthread_mutex_t));
  const std::optional<Address> place = futex == 0 ? std::nullopt : gil_place(interpreter);
  return place && futex >= *place + k_before && futex < *place + k_before + k_conditions;
}

bool InterpreterReader::attached(const ThreadEntry &entry) {
  const Layout &layout = runtime_.layout;
  SnapshotMemory &memory = objects_.memory();
  if (layout.ts_attached != k_absent) {
    constexpr std::int32_t k_attached = 1; // Include/internal/pycore_pystate.h, _Py_THREAD_ATTACHED
    return memory.get<std::int32_t>(entry.state + layout.ts_attached) == k_attached;
  }
  // While one GIL was for all interpreters, a change of interpreter left it with the thread state that took it
  // (Python/pystate.c, _PyThreadState_Swap).
  if (layout.rt_thread_current != k_absent) {
    return memory.pointer(runtime_.address + layout.rt_thread_current) == entry.state;
  }
  return gil_holder(entry.interpreter) == entry.state;
}

Address InterpreterReader::module_dict(Address interpreter, std::string_view module) {
  const Address modules = objects_.memory().pointer(interpreter + runtime_.layout.is_modules);
  const Address found = objects_.dict_value(modules, module);
  return found == 0 ? 0 : objects_.memory().pointer(found + runtime_.layout.module_dict);
}

std::string InterpreterReader::thread_name(const ThreadEntry &thread) {
  // A thread that the main interpreter made may run in another one for a while. There it is called MainThread if it was the
  // first to import threading (Lib/threading.py, _MainThread), which says less than the name that the program gave it.
  std::string name = name_in(main_interpreter(), thread);
  return name.empty() && thread.interpreter != main_interpreter() ? name_in(thread.interpreter, thread) : name;
}

/// {ident: Thread}; the ident is pthread_self().
Address InterpreterReader::active_threads(Address interpreter) {
  Address &active = active_threads_[interpreter];
  if (active == 0) {
    active = objects_.dict_value(module_dict(interpreter, "threading"), "_active");
  }
  return active;
}

std::string InterpreterReader::name_of(Address thread_object) {
  return objects_.text(objects_.attribute(thread_object, "_name")).value_or("");
}

std::string InterpreterReader::name_in(Address interpreter, const ThreadEntry &thread) {
  const auto entries = objects_.dict_entries(active_threads(interpreter));
  if (!entries) {
    return {};
  }
  constexpr std::size_t k_integer = 36;  // an int of three digits: Include/cpython/longintrepr.h, 30 bits a digit
  constexpr std::size_t k_together = 64; // threads
  std::vector<RemoteRange> keys;
  for (std::size_t i = 0; i < std::min(entries->size(), k_together); ++i) {
    keys.push_back({(*entries)[i].key, k_integer});
  }
  objects_.memory().prefetch(keys); // in one call
  for (std::size_t i = 0; i < entries->size(); ++i) {
    const auto ident = objects_.integer((*entries)[i].key);
    if (ident && static_cast<Address>(*ident) == thread.thread_pointer) {
      return name_of((*entries)[i].value);
    }
  }
  return {};
}

InterpreterReader::Named InterpreterReader::named_in(Address interpreter) {
  Named named;
  const auto entries = objects_.dict_entries(active_threads(interpreter));
  for (std::size_t i = 0; entries && i < entries->size(); ++i) {
    if (const auto ident = objects_.integer((*entries)[i].key)) {
      named.emplace(static_cast<Address>(*ident), (*entries)[i].value);
    }
  }
  return named;
}

std::vector<std::string> InterpreterReader::thread_names(const std::vector<ThreadEntry> &threads) {
  std::unordered_map<Address, Named> named; // by interpreter
  const auto name_by = [&](Address interpreter, const ThreadEntry &thread) {
    const auto [known, fresh] = named.try_emplace(interpreter);
    if (fresh) {
      known->second = named_in(interpreter);
    }
    const auto object = known->second.find(thread.thread_pointer);
    return object == known->second.end() ? std::string() : name_of(object->second);
  };
  std::vector<std::string> names;
  names.reserve(threads.size());
  for (const ThreadEntry &thread : threads) { // as thread_name() has it
    names.push_back(name_by(main_interpreter(), thread));
    if (names.back().empty() && thread.interpreter != main_interpreter()) {
      names.back() = name_by(thread.interpreter, thread);
    }
  }
  return names;
}

std::vector<std::string> InterpreterReader::import_paths(Address interpreter) {
  std::vector<std::string> paths;
  const Address list = objects_.dict_value(module_dict(interpreter, "sys"), "path");
  const auto items = objects_.list_elements(list);
  for (std::size_t i = 0; items && i < items->size() && i < k_max_paths; ++i) {
    if (std::optional<std::string> path = objects_.text((*items)[i])) {
      paths.push_back(std::move(*path));
    }
  }
  return paths;
}

} // namespace awaitscope
