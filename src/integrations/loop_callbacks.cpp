#include "awaitscope/integrations/loop_callbacks.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "place.hpp"

namespace awaitscope {
namespace {

/// Lib/asyncio/events.py: _run(self) calls self._callback.
constexpr std::array k_runs_callback{Place{"asyncio/events.py", "Handle._run"}};

/// What is on the stack right below the callbacks of a loop that is compiled.
constexpr std::array k_runs_compiled_loop{Place{"asyncio/runners.py", "Runner.run"}, Place{"asyncio/runners.py", "run"},
                                          Place{"uvloop/__init__.py", "run"},
                                          Place{"uvicorn/_compat.py", "asyncio_run"}};

/// Of asyncio's own loop, or what runs one, begins and ends it: no callback.
constexpr std::array<std::string_view, 5> k_machinery{"asyncio/base_events.py", "asyncio/unix_events.py",
                                                      "asyncio/runners.py", "asyncio/events.py", "uvloop/__init__.py"};

} // namespace

LoopCallbacks::Role LoopCallbacks::find(const CodeInfo &code) {
  const bool is_machinery = std::any_of(k_machinery.begin(), k_machinery.end(),
                                        [&](std::string_view file) { return code.file.ends_with(file); });
  return is_one_of(code, k_runs_callback)        ? Role::runs_callback
         : is_one_of(code, k_runs_compiled_loop) ? Role::runs_compiled_loop
         : is_machinery                          ? Role::machinery
                                                 : Role::ordinary;
}

LoopCallbacks::Role LoopCallbacks::role_of(const Frame &frame) {
  roles_.resize(std::max(roles_.size(), codes_.size()), Role::unknown);
  Role &role = roles_[frame.code];
  role = role == Role::unknown ? find(codes_.at(frame.code)) : role;
  return role;
}

std::optional<std::size_t> LoopCallbacks::inside(std::span<const Frame> frames) {
  for (std::size_t i = frames.size(); i-- > 0;) {
    const std::size_t inside = frames.size() - i - 1;
    if (frames[i].kind == FrameKind::task_border) { // the task that the thread runs
      return inside == 0 ? std::nullopt : std::optional(inside);
    }
    if (frames[i].kind != FrameKind::python) {
      return std::nullopt; // unreadable; or machinery that runs work for a task elsewhere
    }
    const Role role = role_of(frames[i]);
    if (role == Role::runs_callback || role == Role::runs_compiled_loop) {
      const bool is_callback = inside > 0 && role_of(frames[i + 1]) == Role::ordinary;
      return is_callback ? std::optional(inside) : std::nullopt;
    }
  }
  return std::nullopt;
}

} // namespace awaitscope
