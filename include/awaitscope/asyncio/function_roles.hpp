#pragma once

#include <vector>

#include "awaitscope/cpython/code_cache.hpp"
#include "awaitscope/cpython/objects.hpp"
#include "awaitscope/cpython/stack_reader.hpp"
#include "awaitscope/integrations/rules.hpp"

namespace awaitscope {

/// What the functions of the target mean, by the tables of integrations/: each code object is compared with them once.
class FunctionRoles {
public:
  FunctionRoles(ObjectReader &objects, CodeCache &codes, StackReader &stacks)
      : objects_(objects), codes_(codes), stacks_(stacks) {}

  /// Null: an ordinary function.
  const FunctionRule *rule(const Frame &frame);
  FunctionRole role(const Frame &frame);

  /// The same of the name of a task's coroutine, which is a qualname in every version.
  FunctionRole role_of_label(CodeId label);

  /// The object that a frame of this rule keeps, or 0.
  Address held(const FunctionRule &rule, Address frame, CodeId code);

private:
  ObjectReader &objects_;
  CodeCache &codes_;
  StackReader &stacks_;
  std::vector<const FunctionRule *> rules_; ///< by CodeId
};

} // namespace awaitscope
