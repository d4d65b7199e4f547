#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/model/stack.hpp"

namespace awaitscope {

/// Knows the places where a thread waits for work: an event loop in its selector, a pool's worker without a task, a server that
/// waits for a connection. A thread that waits anywhere else waits in a call of the program's own.
class IdlePlaces {
public:
  explicit IdlePlaces(const CodeTable &codes) : codes_(codes) {}

  /// So many frames say it.
  static constexpr std::size_t k_depth = 8;

  /// Does a thread that waits here wait for work? The innermost frames of its stack, the innermost first.
  [[nodiscard]] bool waits_for_work(std::span<const Frame> innermost);

private:
  enum class Role : std::uint8_t {
    unknown,
    ordinary,
    passes, ///< waits on behalf of its caller, whatever that is
    works,  ///< waits for work
  };
  [[nodiscard]] static Role find(const CodeInfo &code);

  const CodeTable &codes_;
  std::vector<Role> roles_; ///< by CodeId
};

} // namespace awaitscope
