#pragma once

#include <map>
#include <string>
#include <vector>

#include "awaitscope/report/cache_opportunities.hpp"

namespace awaitscope {

/// What a recording says of the code of functions, by the numbers of FunctionNumbers.
class KnownFunctions {
public:
  explicit KnownFunctions(const RecordingTables &tables) : tables_(tables) {}

  void add(std::size_t function, const RecordedFact &fact);

  /// The function calls one that has this effect.
  void add_callee_effect(std::size_t function, const std::string &effect) { callees_.try_emplace(function, effect); }

  /// What it does besides computing from its arguments, by its own code; empty if nothing is known.
  [[nodiscard]] std::string effect_of(std::size_t function) const;

  /// Does it more than to return something: what a hit would not do, whatever it returns?
  [[nodiscard]] bool does_more(std::size_t function) const {
    return !effect_of(function).empty() || has(function, FunctionFact::Kind::writes_attribute) ||
           has(function, FunctionFact::Kind::writes_nonlocal);
  }

  [[nodiscard]] bool has(std::size_t function, FunctionFact::Kind kind) const;

  /// Why the function should not be cached, for people.
  [[nodiscard]] std::vector<std::string> refusals(std::size_t function, const CacheOpportunity &opportunity) const;

private:
  void add_call_refusals(std::size_t function, const CacheOpportunity &opportunity,
                         std::vector<std::string> &reasons) const;

  const RecordingTables &tables_;
  std::map<std::size_t, std::vector<RecordedFact>> facts_;
  std::map<std::size_t, std::string> callees_;
};

} // namespace awaitscope
