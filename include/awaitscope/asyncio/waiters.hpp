#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "awaitscope/asyncio/coroutines.hpp"
#include "awaitscope/asyncio/futures.hpp"
#include "awaitscope/cpython/code_cache.hpp"
#include "awaitscope/cpython/objects.hpp"
#include "awaitscope/cpython/stack_reader.hpp"
#include "awaitscope/integrations/rules.hpp"

namespace awaitscope {

/// Finds who waits for a future by its done-callbacks.
class WaiterReader {
public:
  WaiterReader(ObjectReader &objects, CodeCache &codes, StackReader &stacks, FutureReader &futures,
               CoroutineReader &coroutines)
      : objects_(objects), codes_(codes), stacks_(stacks), futures_(futures), coroutines_(coroutines) {}

  struct Waiters {
    std::vector<Address> tasks; ///< in the order in which their callbacks were added
    Address first_group = 0;    ///< the group of tasks through which the first one waits; 0: it waits right there
  };
  /// The tasks that wait for this future or task, as far as they could be read, directly or through one that combines several. `most` ends the search early.
  Waiters find(Address future, std::size_t most = k_max_waiters);

  /// Who a task stands under.
  struct Waiter {
    Address task = 0; ///< 0: nobody
    Address group =
        0; ///< the group of tasks through which it waits: it may be anywhere by now. 0: it waits right there
    bool whole = true; ///< false if a part could not be read
  };
  /// The first of find(), or of find_concurrent().
  Waiter first(Address future);

  /// The tasks that wait for what a worker thread computes (a concurrent.futures.Future). As find().
  bool find_concurrent(Address future, std::vector<Address> &tasks, std::size_t most = k_max_waiters);

  /// The concurrent.futures.Future that is finished along with this task (run_coroutine_threadsafe), or 0.
  Address chained_destination(Address task);

  static constexpr std::size_t k_max_waiters = 4096;

private:
  struct Search {
    std::vector<Address> &tasks;
    std::size_t most;
    std::unordered_set<Address> seen;
    bool whole = true;
    Address first_group = 0; ///< of the first task
  };
  void visit_future(Address future, Search &search, unsigned depth);
  void visit_callback(Address callback, Search &search, unsigned depth);
  void visit_function(Address function, Search &search, unsigned depth);
  void visit_rule(const CallbackRule &rule, Address object, Search &search, unsigned depth);
  void visit_group(const CallbackRule &rule, Address group, Search &search);
  void visit_queue(Address queue, Search &search, unsigned depth);
  void visit_method(Address method, Search &search, unsigned depth);
  void visit_partial(Address partial, Search &search, unsigned depth);
  void visit_any(Address object, Search &search, unsigned depth);
  void visit_race(Address task, Search &search);
  static void add_task(Address task, Search &search);

  struct Function {
    CodeId code = 0;
    std::string_view name; ///< its qualname
  };
  /// The function, if it is one of asyncio's own, or anyio's.
  std::optional<Function> asyncio_function(Address function);
  const CallbackRule *callback_rule(const std::optional<Function> &function);
  Address closure_cell(Address function, CodeId code, std::string_view name);
  std::optional<std::size_t> free_variable(Address code_address, CodeId code, std::string_view name);

  ObjectReader &objects_;
  CodeCache &codes_;
  StackReader &stacks_;
  FutureReader &futures_;
  CoroutineReader &coroutines_;
  std::unordered_map<CodeId, std::size_t> free_variables_;
  std::unordered_map<CodeId, std::string> function_names_; ///< where code objects have no qualname
};

} // namespace awaitscope
