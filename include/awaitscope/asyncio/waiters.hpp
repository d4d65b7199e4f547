#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "awaitscope/cpython/code_cache.hpp"
#include "awaitscope/cpython/objects.hpp"

namespace awaitscope {

/// Where _asyncio's Future and Task keep their fields in this target: around sizeof(Future), which its type tells.
struct FutureLayout {
  Offset loop = k_absent, callback = k_absent, callbacks = k_absent, state = k_absent;
  Offset waiter = k_absent, coroutine = k_absent, name = k_absent;
};

/// Finds who waits for a future by its done-callbacks.
class WaiterReader {
public:
  WaiterReader(ObjectReader &objects, CodeCache &codes) : objects_(objects), codes_(codes) {}

  void set_layout(const FutureLayout &layout) { future_ = layout; }

  /// The tasks that wait for this future or task, directly or through one that combines several, in the order in which
  /// their callbacks were added. False if a part could not be read. `most` ends the search early.
  bool find(Address future, std::vector<Address> &tasks, std::size_t most = k_max_waiters);

  /// The concurrent.futures.Future that this asyncio future was wrapped around (run_in_executor, to_thread,
  /// sync_to_async), or 0.
  Address chained_source(Address future);

  bool is_task(Address object);
  bool is_future(Address object);

  static constexpr std::size_t k_max_waiters = 4096;

private:
  struct Search {
    std::vector<Address> &tasks;
    std::size_t most;
    std::unordered_set<Address> seen;
    bool whole = true;
  };
  std::optional<std::vector<Address>> callbacks_of(Address future);
  void visit_future(Address future, Search &search, unsigned depth);
  void visit_callback(Address callback, Search &search, unsigned depth);
  void visit_function(Address function, Search &search, unsigned depth);
  void visit_queue(Address queue, Search &search, unsigned depth);
  void visit_method(Address method, Search &search, unsigned depth);
  void visit_partial(Address partial, Search &search, unsigned depth);
  void add_task(Address task, Search &search);

  struct Function {
    CodeId code = 0;
    std::string_view name; ///< its qualname
  };
  /// The function, if it is one of asyncio's own.
  std::optional<Function> asyncio_function(Address function);
  Address closure_cell(Address function, CodeId code, std::string_view name);
  std::optional<std::size_t> free_variable(Address code_address, CodeId code, std::string_view name);

  ObjectReader &objects_;
  CodeCache &codes_;
  FutureLayout future_;
  std::unordered_map<CodeId, std::size_t> free_variables_;
  std::unordered_map<CodeId, std::string> function_names_; ///< where code objects have no qualname
};

} // namespace awaitscope
