#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "awaitscope/cpython/interpreter.hpp"
#include "awaitscope/cpython/objects.hpp"
#include "awaitscope/model/task.hpp"

namespace awaitscope {

/// Where _asyncio's Future and Task keep their fields in this target: around sizeof(Future), which its type tells.
struct FutureLayout {
  Offset loop = k_absent, callback = k_absent, callbacks = k_absent, state = k_absent;
  Offset waiter = k_absent, coroutine = k_absent, name = k_absent;
  Offset node = k_absent; ///< a task's place in its thread's list
};

/// The name if the program gave it; empty if it is "Task-12", which asyncio gives where the program gives none
/// (Lib/asyncio/tasks.py, _task_name_counter).
std::string given_name(const std::string &name);

/// Reads asyncio's futures and tasks, those of _asyncio and those of pure Python (Lib/asyncio/futures.py, tasks.py) alike.
class FutureReader {
public:
  explicit FutureReader(ObjectReader &objects) : objects_(objects) {}

  /// Finds asyncio's classes in the interpreter, beside those of others. False while it has not imported asyncio.
  bool locate(InterpreterReader &interpreters, Address interpreter);

  /// Forgets the classes of every interpreter.
  void forget();

  bool is_future(Address object) { return kind_of(object) != Kind::other; } ///< tasks are futures too
  bool is_task(Address object);

  /// The done-callbacks in the order in which they were added; nothing if they cannot be read.
  std::optional<std::vector<Address>> callbacks(Address future);

  /// The same of a concurrent.futures.Future.
  std::vector<Address> concurrent_callbacks(Address future);
  bool is_concurrent(Address object);

  bool is_done(Address future);
  Address loop(Address future);

  Address coroutine(Address task);
  Address waits_for(Address task); ///< what it awaits at its end; 0 if it is to run, or runs
  std::string name(Address task);  ///< asyncio's serial name if the program gave none

  [[nodiscard]] const FutureLayout &layout() const { return layout_; }

private:
  enum class Kind : std::uint8_t { other, native_future, native_task, python_future, python_task };
  Kind kind_of(Address object);
  Kind classify(Address type);
  bool is_native(Address object);

  ObjectReader &objects_;
  FutureLayout layout_;
  std::vector<Address> python_futures_; ///< the classes asyncio.futures._PyFuture, asyncio.tasks._PyTask
  std::vector<Address> python_tasks_;
  std::unordered_map<Address, Kind> kinds_; ///< by type
};

} // namespace awaitscope
