#include "awaitscope/export/cache.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"
#include "json_text.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_rows = 20; // of each kind
constexpr std::size_t k_width = 80;
constexpr std::size_t k_indent = 6;
constexpr double k_percent = 100;

std::string seconds(std::uint64_t nanoseconds) { return human_duration(static_cast<std::int64_t>(nanoseconds)); }

std::string rate(const CacheOpportunity &function, double hit_rate) {
  return fmt::format("{}{:.0f} %", function.measured ? "" : "≥", std::floor(hit_rate * k_percent));
}

/// In lines of at most k_width characters, all of them indented.
std::string wrapped(const std::string &text) {
  std::string lines;
  std::string line;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    if (!line.empty() && k_indent + line.size() + 1 + word.size() > k_width) {
      lines += std::string(k_indent, ' ') + line + '\n';
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
    at = end + 1;
  }
  return lines + std::string(k_indent, ' ') + line + '\n';
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? "-" : fmt::format("{:.1f} %", k_percent * static_cast<double>(part) / static_cast<double>(whole));
}

std::string head() {
  return fmt::format("{:>10} {:>7} {:>8} {:>9} {:>8}  function\n", "saves CPU", "profile", "hits", "calls seen",
                     "keys");
}

std::string row(const CacheOpportunity &function, std::uint64_t profile_ns, FrameNames &names) {
  const CacheEffect &effect = function.hits.unbounded();
  const std::uint64_t saving_ns = function.saving_ns(effect);
  // "≥" and "µ" are one character and several bytes.
  return fmt::format("{:>10} {:>7} {:>8} {:>10} {:>8}  {}\n", seconds(saving_ns), share(saving_ns, profile_ns),
                     function.judged == 0 ? "-" : rate(function, effect.hit_rate), with_thousands(function.calls),
                     with_thousands(function.hits.distinct),
                     one_line(names.name({function.code, 0, FrameKind::python})));
}

std::string sizes(const CacheOpportunity &function) {
  std::string text;
  for (const CacheEffect &effect : function.hits.by_maxsize) {
    text += fmt::format("{}maxsize={}: {}, saves {}", text.empty() ? "" : "; ",
                        effect.maxsize == 0 ? "None" : std::to_string(effect.maxsize), rate(function, effect.hit_rate),
                        seconds(function.saving_ns(effect)));
  }
  return text;
}

std::string self_note(const CacheOpportunity &function) {
  return !function.hit_rate_without_self
             ? std::string()
             : fmt::format("self was {} objects, compared by identity: hits need the same one; without regard to it {}",
                           with_thousands(function.selves), rate(function, *function.hit_rate_without_self));
}

Json json(const CacheOpportunity &function, const CodeTable &codes) {
  const CodeInfo &code = codes.at(function.code);
  Json by_maxsize = Json::array();
  for (const CacheEffect &effect : function.hits.by_maxsize) {
    by_maxsize.push_back({{"maxsize", effect.maxsize == 0 ? Json(nullptr) : Json(effect.maxsize)},
                          {"hit_rate", effect.hit_rate},
                          {"saving_ns", function.saving_ns(effect)}});
  }
  return {
      {"function", code.function},
      {"file", code.file},
      {"line", code.first_line},
      {"cpu_ns", function.cpu_ns},
      {"wall_ns", function.wall_ns},
      {"calls_seen", function.calls},
      {"calls_judged", function.judged},
      {"distinct_args", function.hits.distinct},
      {"hit_rate", function.judged == 0 ? Json(nullptr) : Json(function.hits.unbounded().hit_rate)},
      {"hit_rate_kind", function.measured ? "measured" : "at_least"},
      {"hit_rate_without_self", function.hit_rate_without_self ? Json(*function.hit_rate_without_self) : Json(nullptr)},
      {"selves", function.selves},
      {"saving_ns", function.saving_ns(function.hits.unbounded())},
      {"by_maxsize", std::move(by_maxsize)},
      {"hashable", function.hashable},
      {"merged", function.merged},
      {"confirmed", function.confirmed ? Json(*function.confirmed) : Json(nullptr)},
      {"recommended", function.recommended},
      {"reasons", function.reasons},
      {"examples", function.examples}};
}

} // namespace

std::string cache_text(const CacheOpportunities &opportunities, FrameNames &names) {
  std::string text = "Worth a cache:\n" + head();
  std::size_t rows = 0;
  for (const CacheOpportunity &function : opportunities.functions) {
    if (!function.recommended || ++rows > k_rows) {
      continue;
    }
    text += row(function, opportunities.profile_ns, names) + wrapped(sizes(function));
    if (const std::string note = self_note(function); !note.empty()) {
      text += wrapped(note);
    }
    text += function.confirmed ? wrapped("confirmed: equal arguments always returned equal values") : "";
    for (const std::string &each : function.reasons) {
      text += wrapped("note: " + one_line(each));
    }
    for (const std::string &example : function.examples) {
      text += wrapped(one_line(example));
    }
  }
  text += rows == 0 ? "  none of the functions whose arguments were read\n" : "";
  text += "\nNot recommended:\n" + head();
  std::size_t others = 0;
  for (const CacheOpportunity &function : opportunities.functions) {
    if (function.recommended || ++others > k_rows) {
      continue;
    }
    text += row(function, opportunities.profile_ns, names);
    for (const std::string &reason : function.reasons) {
      text += wrapped(one_line(reason));
    }
  }
  const std::size_t left = (rows - std::min(rows, k_rows)) + (others - std::min(others, k_rows));
  text += left == 0 ? "" : fmt::format("and {} functions more (--json has them all)\n", left);
  text += "\nSamples separate one call from the next by where its callers stand, and by its\n"
          "arguments and variables (-f latency). A long call is seen more often than a\n"
          "short one: each seen call stands for as many as its length says. ≥ is a lower\n"
          "bound: calls that were not seen count as misses as often as their arguments are\n"
          "likely to be new (Good and Turing). What a cache saves is the cost of the calls\n"
          "that would have hit; functions that call each other save it once.\n";
  return text;
}

std::string cache_json(const CacheOpportunities &opportunities, const CodeTable &codes) {
  Json functions = Json::array();
  for (const CacheOpportunity &function : opportunities.functions) {
    functions.push_back(json(function, codes));
  }
  return json_text(
      Json{{"schema", 1}, {"profile_cpu_ns", opportunities.profile_ns}, {"functions", std::move(functions)}});
}

} // namespace awaitscope
