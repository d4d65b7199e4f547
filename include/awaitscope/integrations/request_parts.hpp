#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/model/stack.hpp"

namespace awaitscope {

/// What a request is in, as far as its stack says.
enum class RequestPart : std::uint8_t {
  view,       ///< the view's own code, and the framework's
  sql,        ///< a statement is executed
  templates,  ///< a template is rendered, and no statement executed meanwhile
  middleware, ///< in front of the view, or behind it
};

/// Knows the places of web frameworks in which a request is in one of its parts.
class RequestParts {
public:
  explicit RequestParts(const CodeTable &codes) : codes_(codes) {}

  /// Of a stack of a request, root first.
  [[nodiscard]] RequestPart part_of(std::span<const Frame> frames);

  /// The place of the innermost frame that executes a statement; the number of frames if there is none.
  [[nodiscard]] std::size_t innermost_statement(std::span<const Frame> frames);

private:
  enum class Role : std::uint8_t { unknown, ordinary, statement, rendering, middleware, view_caller };
  [[nodiscard]] static Role find(const CodeInfo &code);
  Role role_of(const Frame &frame);

  const CodeTable &codes_;
  std::vector<Role> roles_; ///< by CodeId
};

} // namespace awaitscope
