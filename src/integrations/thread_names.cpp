#include "awaitscope/integrations/thread_names.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "place.hpp"

namespace awaitscope {
namespace {

/// NAME, separator, number, and if there is a second separator that and another number.
struct NumberedName {
  std::string_view name;
  std::string_view first;
  std::string_view second{};
};

constexpr std::array k_numbered{
    NumberedName{"Thread", "-"},                  // Lib/threading.py, _newname(); from 3.10 on " (TARGET)" behind it
    NumberedName{"Dummy", "-"},                   // Lib/threading.py, _DummyThread
    NumberedName{"ThreadPoolExecutor", "-", "_"}, // Lib/concurrent/futures/thread.py
    NumberedName{"InterpreterPoolExecutor", "-", "_"}, // Lib/concurrent/futures/interpreter.py, 3.14
    NumberedName{"asyncio", "_"},                      // Lib/asyncio/base_events.py, run_in_executor()
    NumberedName{"waitpid", "-"},                      // Lib/asyncio/unix_events.py, ThreadedChildWatcher, up to 3.11
    NumberedName{"asyncio-waitpid", "-"},              // the same from 3.12 on
    NumberedName{"waitress", "-"},                     // waitress/task.py, ThreadedTaskDispatcher.start_new_thread()
    NumberedName{"CP Server Thread", "-"},             // cheroot/workers/threadpool.py, ThreadPool._spawn_worker()
    NumberedName{"Trio thread", " "},                  // trio/_core/_thread_cache.py, WorkerThread
    NumberedName{"uWSGIWorker", "", "Core"}, // uWSGI, plugins/python/python_plugin.c, uwsgi_python_set_thread_name()
};

/// It names its threads PREFIX_NUMBER (ThreadPoolExecutor._adjust_thread_count), of subclasses too.
constexpr Place k_pool_worker{"concurrent/futures/thread.py", "_worker"};

/// Takes `separator` and a number off the front of the text; false if they are not there.
bool take_number(std::string_view &text, std::string_view separator) {
  if (text.substr(0, separator.size()) != separator) {
    return false;
  }
  text.remove_prefix(separator.size());
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(digits);
  return digits > 0;
}

/// Nothing if it is not numbered so.
std::optional<std::string> without_numbers(std::string_view name, const NumberedName &numbered) {
  if (name.substr(0, numbered.name.size()) != numbered.name) {
    return std::nullopt;
  }
  std::string_view rest = name.substr(numbered.name.size());
  if (!take_number(rest, numbered.first) || (!numbered.second.empty() && !take_number(rest, numbered.second)) ||
      (!rest.empty() && rest.substr(0, 2) != " (")) {
    return std::nullopt;
  }
  return std::string(numbered.name) + std::string(rest);
}

} // namespace

std::string lasting_thread_name(const std::string &name, const CodeTable &codes, const std::vector<Frame> &frames) {
  for (const NumberedName &numbered : k_numbered) {
    if (std::optional<std::string> lasting = without_numbers(name, numbered)) {
      return *lasting;
    }
  }
  const std::size_t prefix = name.find_last_not_of("0123456789");
  const bool may_be_pool = prefix != std::string::npos && prefix > 0 && prefix + 1 < name.size() && name[prefix] == '_';
  if (may_be_pool && std::any_of(frames.begin(), frames.end(), [&](const Frame &frame) {
        return (frame.kind == FrameKind::python || frame.kind == FrameKind::loop) &&
               is_at(codes.at(frame.code), k_pool_worker);
      })) {
    return name.substr(0, prefix);
  }
  return name;
}

} // namespace awaitscope
