#include "cache_reasons.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "awaitscope/integrations/impure_names.hpp"

namespace awaitscope {

using Kind = FunctionFact::Kind;

void KnownFunctions::add(std::size_t function, const RecordedFact &fact) {
  std::vector<RecordedFact> &facts = facts_[function];
  const bool known = std::any_of(facts.begin(), facts.end(), [&](const RecordedFact &other) {
    return other.kind == fact.kind && other.name == fact.name;
  });
  if (!known) {
    facts.push_back(fact);
  }
}

bool KnownFunctions::has(std::size_t function, Kind kind) const {
  const auto facts = facts_.find(function);
  return facts != facts_.end() && std::any_of(facts->second.begin(), facts->second.end(),
                                              [&](const RecordedFact &fact) { return fact.kind == kind; });
}

std::string KnownFunctions::effect_of(std::size_t function) const {
  const auto facts = facts_.find(function);
  if (facts == facts_.end()) {
    return {};
  }
  for (const RecordedFact &fact : facts->second) {
    const std::string &name = tables_.texts[fact.name];
    if (fact.kind == Kind::writes_global) {
      return fmt::format("sets {}", name);
    }
    if (const std::string_view effect = fact.kind == Kind::uses ? effect_of_name(name) : ""; !effect.empty()) {
      return fmt::format("{} ({})", effect, name);
    }
  }
  return {};
}

/// What its calls have shown.
void KnownFunctions::add_call_refusals(std::size_t function, const CacheOpportunity &opportunity,
                                       std::vector<std::string> &reasons) const {
  if (!opportunity.hashable) {
    reasons.emplace_back(
        "has unhashable arguments (a list, dict, set, or an object without __hash__): pass a tuple or frozenset");
  }
  if (has(function, Kind::overwrites) && opportunity.judged * 2 < opportunity.calls) {
    reasons.emplace_back(
        "sets its own arguments: what it was called with is mostly not known; give them other names to see it");
  } else if (opportunity.hashable && opportunity.judged * 2 < opportunity.calls) {
    reasons.emplace_back("most of its arguments could not be read");
  }
  if (opportunity.confirmed == false) {
    reasons.emplace_back("returned different values for equal arguments, or what callers can change");
  }
}

std::vector<std::string> KnownFunctions::refusals(std::size_t function, const CacheOpportunity &opportunity) const {
  std::vector<std::string> reasons;
  if (has(function, Kind::coroutine)) {
    reasons.emplace_back(
        "is a coroutine: lru_cache would keep the coroutine, which can be awaited once; cache the awaited value");
  }
  if (has(function, Kind::generator) || has(function, Kind::async_generator)) {
    reasons.emplace_back(
        "is a generator: a cache would keep the iterator, which ends once; cache a tuple of what it yields");
  }
  if (has(function, Kind::no_arguments)) {
    reasons.emplace_back("has no arguments: if it always returns the same, make it a constant of the module");
  }
  add_call_refusals(function, opportunity, reasons);
  const auto facts = facts_.find(function);
  if (facts == facts_.end() || !has(function, Kind::judged)) {
    if (!opportunity.measured) {
      reasons.emplace_back("its code could not be read");
    }
    return reasons;
  }
  for (const RecordedFact &fact : facts->second) {
    const std::string &name = tables_.texts[fact.name];
    const bool sure = opportunity.confirmed == true; // by its returns
    switch (fact.kind) {
    case Kind::writes_global:
      reasons.push_back(fmt::format("sets {}, which a hit would not", name));
      break;
    case Kind::writes_attribute:
      reasons.push_back(fmt::format("sets the attribute {}, which a hit would not", name));
      break;
    case Kind::writes_nonlocal:
      reasons.push_back(fmt::format("sets the outer variable {}, which a hit would not", name));
      break;
    case Kind::reads_nonlocal:
      if (!sure) {
        reasons.push_back(fmt::format("reads the outer variable {}, which is no argument", name));
      }
      break;
    case Kind::returns_mutable:
      reasons.push_back(fmt::format("returns a new {}: callers would share it; return a tuple or frozenset", name));
      break;
    case Kind::uses:
      if (const std::string_view effect = effect_of_name(name); !effect.empty()) {
        reasons.push_back(fmt::format("{} ({})", effect, name));
      }
      break;
    default:
      break;
    }
  }
  if (const auto callee = callees_.find(function); callee != callees_.end()) {
    reasons.push_back(callee->second);
  }
  return reasons;
}

} // namespace awaitscope
