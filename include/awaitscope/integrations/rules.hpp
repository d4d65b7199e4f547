#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace awaitscope {

/// What a function of a library means to who stands under whom.
enum class FunctionRole : std::uint8_t {
  ordinary,
  work_item,   ///< runs what others have submitted: the holder has its future
  waits,       ///< waits for the holder's future, or is just making somebody wait for it
  asks_loop,   ///< the same, and what it asked for may run before it waits: the work stands under the function itself
  finishes,    ///< a task's coroutine that finishes the holder's concurrent.futures.Future
  wraps_loop,  ///< a task's coroutine for whose sake a work item runs a loop of its own
  runs_loop,   ///< the holder has the loop
  runs_until,  ///< runs a loop until the holder's task, or the task of the holder's coroutine, is done
  starts_loop, ///< calls what runs a loop, and does nothing else meanwhile
  runs_handle, ///< runs one callback of a loop; the holder has the callback
  runs_task_step,   ///< part of a task's step, where tasks are of pure Python; the holder has the task
  makes_eager_task, ///< may run a task's first step itself
  drives_greenlet,  ///< a coroutine that awaits for the holder, a greenlet, which waits meanwhile
  handles_request,  ///< a web framework's: the holder has the request that it handles
  times_request,    ///< a web server's: the holder has the time (a datetime) at which it began with the request
  executes_sql,     ///< executes one statement: the holder has its text
  renders_template, ///< renders one template: the holder has its name
};

/// Where a frame keeps an object.
struct Holder {
  enum class Kind : std::uint8_t { nothing, argument, local, cell } kind = Kind::nothing;
  std::string_view name;      ///< of the variable; of an argument: its index says it
  std::size_t index = 0;      ///< of an argument
  std::string_view attribute; ///< of the object found there: what is meant; empty: the object itself
};

constexpr Holder argument(std::size_t index, std::string_view attribute = {}) {
  return {Holder::Kind::argument, {}, index, attribute};
}
constexpr Holder local(std::string_view name) { return {Holder::Kind::local, name, 0, {}}; }
constexpr Holder cell(std::string_view name) { return {Holder::Kind::cell, name, 0, {}}; }

struct FunctionRule {
  std::string_view function; ///< its qualname
  std::string_view file;     ///< how the path of its file ends
  FunctionRole role = FunctionRole::ordinary;
  Holder holder;
};

/// A done-callback that a library adds to a future on behalf of somebody who waits.
struct CallbackRule {
  enum class Leads : std::uint8_t {
    future, ///< to a future that it finishes
    queue,  ///< to an asyncio.Queue: who waits is a getter of it
    group,  ///< to a group of tasks, whose owner may be anywhere
  };
  std::string_view function;
  std::string_view file;
  Leads leads = Leads::future;
  std::string_view cell;                   ///< the closure's cell that has it; empty: the callback is a method
  std::string_view attribute;              ///< of the method's object; empty: that itself
  std::array<std::string_view, 2> owner{}; ///< from a group to its task, attribute by attribute
};

/// What is known of each library: one file a library, in this order.
std::span<const FunctionRule> asyncio_functions();
std::span<const FunctionRule> concurrent_futures_functions();
std::span<const FunctionRule> asgiref_functions();
std::span<const FunctionRule> anyio_functions();
std::span<const FunctionRule> greenlet_functions();
std::span<const FunctionRule> django_functions();
std::span<const FunctionRule> starlette_functions();
std::span<const FunctionRule> gunicorn_functions();
std::span<const CallbackRule> asyncio_callbacks();
std::span<const CallbackRule> anyio_callbacks();

enum class Names : std::uint8_t {
  qualified, ///< a code object has its qualname (3.11+)
  last_part, ///< only the last part of it
};

/// The rule for this function, or null.
const FunctionRule *function_rule(std::string_view name, std::string_view file, Names names);

/// The rule for a callback of this qualname, or null.
const CallbackRule *callback_rule(std::string_view qualname, std::string_view file);

} // namespace awaitscope
