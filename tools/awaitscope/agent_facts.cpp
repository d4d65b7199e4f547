#include "agent_facts.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>

#include "awaitscope/cpython/function_facts.hpp"
#include "awaitscope/cpython/layout.hpp"
#include "awaitscope/support/text.hpp"

namespace awaitscope::tools {
namespace {

/// Empty if they are no hexadecimal digits.
std::vector<std::uint8_t> bytes_of(const std::string &digits) {
  constexpr int k_base = 16;
  std::vector<std::uint8_t> bytes;
  for (std::size_t at = 0; at + 2 <= digits.size(); at += 2) {
    std::uint8_t byte = 0;
    const char *const begin = digits.data() + at;
    if (std::from_chars(begin, begin + 2, byte, k_base).ptr != begin + 2) {
      return {};
    }
    bytes.push_back(byte);
  }
  return bytes;
}

/// What the names in its code stand for, as far as the code takes them so: a line is a chain of names, "uses" or "calls", and for what.
void add_resolved(const AgentNote &note, std::vector<FunctionFact> &facts) {
  using Kind = FunctionFact::Kind;
  std::vector<std::string> used;
  for (const FunctionFact &fact : facts) {
    if (fact.kind == Kind::uses) {
      used.push_back(fact.name);
    }
  }
  for (const std::string &line : lines_of(note.resolved)) {
    const std::size_t kind = line.find('\t');
    const std::size_t value = kind == std::string::npos ? kind : line.find('\t', kind + 1);
    if (value == std::string::npos) {
      continue;
    }
    const std::string chain = line.substr(0, kind);
    const bool calls = line.compare(kind + 1, value - kind - 1, "calls") == 0;
    if (chain.empty()) { // of a closure, or what happened during a call
      facts.push_back({0, calls ? Kind::calls : Kind::uses, line.substr(value + 1)});
    }
    for (const std::string &name : used) {
      if (name == chain || (!chain.empty() && name.starts_with(chain + "."))) {
        facts.push_back(calls ? FunctionFact{0, Kind::calls, line.substr(value + 1)}
                              : FunctionFact{0, Kind::uses, line.substr(value + 1) + name.substr(chain.size())});
      }
    }
  }
  for (const std::string &label : lines_of(note.contains)) {
    facts.push_back({0, Kind::contains, label});
  }
}

} // namespace

std::vector<FunctionFact> facts_of_note(const AgentNote &note, const std::string &python) {
  PythonVersion version;
  const std::vector<std::uint8_t> bytes = bytes_of(note.bytecode);
  if (bytes.empty() || std::sscanf(python.c_str(), "%d.%d.%d", &version.major, &version.minor, &version.patch) != 3) {
    return {};
  }
  const Result<Layout> layout = layout_for(version, Build::with_gil); // instructions are the same in both
  if (!layout || layout->bytecode == nullptr || layout->presumed) {
    return {};
  }
  constexpr std::uint64_t k_most_arguments = 4096;
  CodeParts parts;
  parts.flags = static_cast<std::uint32_t>(note.flags);
  parts.positional = static_cast<std::uint32_t>(std::min(note.positional, k_most_arguments));
  parts.keyword_only = static_cast<std::uint32_t>(std::min(note.keyword_only, k_most_arguments));
  parts.names = lines_of(note.names);
  parts.locals = lines_of(note.locals);
  parts.derefs = lines_of(note.derefs);
  const std::vector<std::string> free = lines_of(note.free);
  for (const std::string &name : parts.derefs) {
    parts.free.push_back(std::find(free.begin(), free.end(), name) != free.end());
  }
  std::vector<FunctionFact> facts = facts_of(parts, *layout->bytecode, layout->bytecode->decode(bytes)).facts;
  add_resolved(note, facts);
  return facts;
}

} // namespace awaitscope::tools
