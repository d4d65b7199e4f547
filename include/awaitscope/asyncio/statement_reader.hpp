#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "awaitscope/asyncio/function_roles.hpp"
#include "awaitscope/cpython/objects.hpp"

namespace awaitscope {

/// A statement of SQL that a thread executes.
struct ReadStatement {
  std::string text;                 ///< with its values: these go no further; empty: there is none
  std::optional<std::size_t> frame; ///< index in the stack of what executes it, if the text is the statement's own
};

/// Reads the statement of SQL that a thread executes, by the tables of integrations/.
class StatementReader {
public:
  StatementReader(ObjectReader &objects, FunctionRoles &roles) : objects_(objects), roles_(roles) {}

  /// That of the innermost of these frames that executes one.
  ReadStatement read(const PythonStack &stack);

  /// The text without its values, one object for each. Null of no text.
  std::shared_ptr<const std::string> without_values(const std::string &text);

private:
  struct Less {
    using is_transparent = void; // NOLINT(readability-identifier-naming): the standard's
    bool operator()(const std::shared_ptr<const std::string> &a, const std::shared_ptr<const std::string> &b) const {
      return *a < *b;
    }
    bool operator()(const std::shared_ptr<const std::string> &a, std::string_view b) const { return *a < b; }
    bool operator()(std::string_view a, const std::shared_ptr<const std::string> &b) const { return a < *b; }
  };

  ObjectReader &objects_;
  FunctionRoles &roles_;
  std::set<std::shared_ptr<const std::string>, Less> known_;
};

} // namespace awaitscope
