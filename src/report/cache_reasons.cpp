#include "cache_reasons.hpp"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "awaitscope/integrations/impure_names.hpp"

namespace awaitscope {

namespace {

/// Of a qualified name.
bool is_constructor(std::string_view function) {
  const std::string_view name = function.substr(function.rfind('.') + 1); // npos + 1 is 0
  return name == "__init__" || name == "__new__" || name == "__post_init__";
}

/// Do callers see nothing of what lies under this name but speed? "_cache[]", "_cache.pop"
bool is_memo(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char letter) { return std::tolower(letter); });
  return name.find("cache") != std::string::npos || name.find("memo") != std::string::npos;
}

} // namespace

KnownFunctions::KnownFunctions(const RecordingTables &tables, FunctionNumbers &numbers) : tables_(tables) {
  std::map<std::string, CodeId> labels;
  for (std::size_t code = 0; code < tables.codes.size(); ++code) {
    labels.try_emplace(code_label(tables.codes.at(static_cast<CodeId>(code))), static_cast<CodeId>(code));
  }
  for (const RecordedFact &fact : tables.facts) {
    const std::size_t function = numbers.number(fact.code);
    codes_.try_emplace(function, fact.code);
    if (fact.kind != Kind::calls && fact.kind != Kind::contains) {
      add(function, fact);
      continue;
    }
    if (const auto callee = labels.find(tables.texts[fact.name]); callee != labels.end()) {
      const std::size_t number = numbers.number(callee->second);
      codes_.try_emplace(number, callee->second);
      edges_[function].push_back({number, fact.kind == Kind::contains ? Way::inside : Way::call});
    }
  }
  for (const auto &[function, edges] : edges_) {
    std::set<std::pair<std::size_t, Way>> met;
    if (const std::string effect = effect_below(function, Way::call, met); !effect.empty()) {
      add_callee_effect(function, effect);
    }
  }
}

/// Of what it calls, directly or not, the first effect that is found.
std::string KnownFunctions::effect_below(std::size_t function, Way way,
                                         std::set<std::pair<std::size_t, Way>> &met) const {
  const auto edges = edges_.find(function);
  if (edges == edges_.end()) {
    return {};
  }
  for (const Edge &edge : edges->second) {
    const std::string &name = tables_.codes.at(codes_.at(edge.callee)).function;
    const Way next = way == Way::making || is_constructor(name) ? Way::making : edge.way;
    if (!met.emplace(edge.callee, next).second) {
      continue;
    }
    if (const std::string effect = effect_of_callee(edge.callee, next); !effect.empty()) {
      return fmt::format("calls {}, which {}", name, effect);
    }
    if (std::string effect = effect_below(edge.callee, next, met); !effect.empty()) {
      return effect;
    }
  }
  return {};
}

/// Is it what callers do not see? Of the standard library that is taken for granted, where no name says otherwise.
bool KnownFunctions::is_benign(std::size_t function, const RecordedFact &fact) const {
  const bool writes = fact.kind == Kind::writes_global || fact.kind == Kind::writes_attribute ||
                      fact.kind == Kind::writes_nonlocal ||
                      (fact.kind == Kind::uses && is_on_the_side(tables_.texts[fact.name]));
  const FileOrigin::Kind origin = file_origin(tables_.codes.at(codes_.at(function)).file).kind;
  return writes && (origin == FileOrigin::Kind::standard ||
                    (origin == FileOrigin::Kind::library && is_memo(tables_.texts[fact.name])));
}

std::string KnownFunctions::effect_of_callee(std::size_t function, Way way) const {
  const std::string &file = tables_.codes.at(codes_.at(function)).file;
  if (const std::string_view effect = effect_of_file(file); !effect.empty()) {
    return std::string(effect);
  }
  return first_effect(function, [&](const RecordedFact &fact) {
    switch (fact.kind) {
    case Kind::writes_global:
      return way != Way::making || !tables_.texts[fact.name].starts_with('.');
    case Kind::writes_attribute:
      return way != Way::making;
    case Kind::writes_nonlocal:
      return way != Way::inside;
    default:
      return true;
    }
  });
}

/// "sets COUNT": as people read it. Empty if it is no effect.
std::string KnownFunctions::described(const RecordedFact &fact) const {
  const std::string &name = tables_.texts[fact.name];
  switch (fact.kind) {
  case Kind::writes_global:
    return fmt::format("sets {}", name);
  case Kind::writes_attribute:
    return fmt::format("sets the attribute {}", name);
  case Kind::reads_changing:
    return fmt::format("reads {}, which changes", name);
  case Kind::writes_nonlocal:
    return fmt::format("sets the outer variable {}", name);
  case Kind::uses: {
    const std::string_view effect = effect_of_name(name);
    return effect.empty() ? std::string() : fmt::format("{} ({})", effect, name);
  }
  default:
    return {};
  }
}

/// The first of its effects that counts, and is not benign. Empty without any.
std::string KnownFunctions::first_effect(std::size_t function,
                                         const std::function<bool(const RecordedFact &)> &counts) const {
  const auto facts = facts_.find(function);
  for (const RecordedFact &fact : facts == facts_.end() ? std::vector<RecordedFact>() : facts->second) {
    if (is_benign(function, fact) || !counts(fact)) {
      continue;
    }
    if (std::string effect = described(fact); !effect.empty()) {
      return effect;
    }
  }
  return {};
}

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
  return first_effect(
      function, [](const RecordedFact &fact) { return fact.kind == Kind::writes_global || fact.kind == Kind::uses; });
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
  if (has(function, Kind::never_returns)) {
    reasons.emplace_back("never returns: a cache keeps no exception");
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
    case Kind::reads_changing:
      reasons.push_back(fmt::format("reads {}, which is no argument, and changes", name));
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
