#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "awaitscope/cpython/bytecode.hpp"
#include "awaitscope/model/argument_calls.hpp"

namespace awaitscope {

/// What is read of a code object to judge it.
struct CodeParts {
  std::uint32_t flags = 0;           ///< co_flags
  std::uint32_t positional = 0;      ///< co_argcount
  std::uint32_t keyword_only = 0;    ///< co_kwonlyargcount
  std::vector<std::string> names;    ///< co_names
  std::vector<std::string> locals;   ///< of the slots: arguments first; since 3.11 cells and free variables too
  std::vector<std::string> derefs{}; ///< by the operand of LOAD_DEREF
  std::vector<bool> free{};          ///< of these, whether an outer function has it

  static constexpr std::uint32_t k_optimized = 0x01, k_varargs = 0x04, k_varkeywords = 0x08, k_generator = 0x20,
                                 k_coroutine = 0x80,
                                 k_async_generator = 0x200; // Include/cpython/code.h, CO_…

  /// Slots of arguments: the first ones.
  [[nodiscard]] std::uint32_t arguments() const {
    return positional + keyword_only + ((flags & k_varargs) != 0 ? 1 : 0) + ((flags & k_varkeywords) != 0 ? 1 : 0);
  }
  [[nodiscard]] bool takes_self() const {
    return positional > 0 && !locals.empty() && (locals[0] == "self" || locals[0] == "cls");
  }
};

/// What a function's code says.
struct FunctionFacts {
  std::vector<FunctionFact> facts; ///< without the code
  /// Where it sets or deletes an argument, in bytes from the first instruction, and which one.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> stores;
};

/// Reads the instructions in their order, and not as they run: what a function returns is what the statement in front of a `return`
/// makes, a list is what `[…]`, a comprehension or list() makes. What it calls may do anything: that is not read.
FunctionFacts facts_of(const CodeParts &code, const Bytecode &bytecode,
                       const std::vector<Bytecode::Instruction> &instructions);

} // namespace awaitscope
