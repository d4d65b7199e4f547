#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "awaitscope/report/cache_opportunities.hpp"
#include "awaitscope/report/file_origin.hpp"
#include "awaitscope/report/function_numbers.hpp"

namespace awaitscope {

/// What a recording says of the code of functions, by the numbers of FunctionNumbers.
class KnownFunctions {
public:
  /// Takes all facts of the recording.
  KnownFunctions(const RecordingTables &tables, FunctionNumbers &numbers);

  /// The function calls one that has this effect.
  void add_callee_effect(std::size_t function, const std::string &effect) { callees_.try_emplace(function, effect); }

  /// What it does besides computing from its arguments, by its own code, attributes of objects aside; empty if nothing is known.
  [[nodiscard]] std::string effect_of(std::size_t function) const;

  /// Does it more than to return something, itself or in what it calls: what a hit would not do, whatever it returns?
  [[nodiscard]] bool does_more(std::size_t function) const {
    return !effect_of(function).empty() || callees_.contains(function) ||
           has(function, FunctionFact::Kind::writes_attribute) || has(function, FunctionFact::Kind::writes_nonlocal);
  }

  [[nodiscard]] bool has(std::size_t function, FunctionFact::Kind kind) const;

  /// Why the function should not be cached, for people.
  [[nodiscard]] std::vector<std::string> refusals(std::size_t function, const CacheOpportunity &opportunity) const;

private:
  using Kind = FunctionFact::Kind;

  /// How a function is reached from another one.
  enum class Way : std::uint8_t {
    call,
    inside, ///< its code is inside of the other's: what are outer variables to it are the other's own
    making, ///< it makes an object, whose attributes nobody else sees yet
  };
  struct Edge {
    std::size_t callee = 0;
    Way way = Way::call;
  };

  void add(std::size_t function, const RecordedFact &fact);
  [[nodiscard]] std::string effect_below(std::size_t function, Way way,
                                         std::set<std::pair<std::size_t, Way>> &met) const;
  [[nodiscard]] std::string effect_of_callee(std::size_t function, Way way) const;
  [[nodiscard]] std::string described(const RecordedFact &fact) const;
  [[nodiscard]] std::string first_effect(std::size_t function,
                                         const std::function<bool(const RecordedFact &)> &counts) const;
  [[nodiscard]] bool is_benign(std::size_t function, const RecordedFact &fact) const;
  void add_call_refusals(std::size_t function, const CacheOpportunity &opportunity,
                         std::vector<std::string> &reasons) const;

  const RecordingTables &tables_;
  std::map<std::size_t, CodeId> codes_; ///< of functions with facts, and of those that they reach
  std::map<std::size_t, std::vector<RecordedFact>> facts_;
  std::map<std::size_t, std::vector<Edge>> edges_;
  std::map<std::size_t, std::string> callees_;
};

} // namespace awaitscope
