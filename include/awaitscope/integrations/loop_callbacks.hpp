#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/model/stack.hpp"

namespace awaitscope {

/// Knows which frames of a stack are inside the callback that an event loop runs. Of asyncio, and of loops without frames of their own
/// (uvloop) that asyncio, uvloop or uvicorn runs.
class LoopCallbacks {
public:
  explicit LoopCallbacks(const CodeTable &codes) : codes_(codes) {}

  /// How many frames at the end of a stack (root first) those are; none if its thread is in no callback of a loop.
  [[nodiscard]] std::optional<std::size_t> inside(std::span<const Frame> frames);

private:
  enum class Role : std::uint8_t { unknown, ordinary, runs_callback, runs_compiled_loop, machinery };
  [[nodiscard]] static Role find(const CodeInfo &code);
  Role role_of(const Frame &frame);

  const CodeTable &codes_;
  std::vector<Role> roles_; ///< by CodeId
};

} // namespace awaitscope
