#include "awaitscope/export/cache.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/support/text.hpp"
#include "awaitscope/support/text_width.hpp"
#include "awaitscope/support/units.hpp"
#include "cells.hpp"
#include "json_text.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_cache_indent = 6;
constexpr double k_percent = 100;

std::string seconds(std::uint64_t nanoseconds) { return human_duration(static_cast<std::int64_t>(nanoseconds)); }

std::string rate(const CacheOpportunity &function, double hit_rate) {
  return fmt::format("{}{:.0f} %", function.is_exact() ? "" : "≥", std::floor(hit_rate * k_percent));
}

void add_row(TextTable &table, const CacheOpportunity &function, std::uint64_t profile_ns, const FrameNames &names) {
  const CacheEffect &effect = function.hits.unbounded();
  const std::uint64_t saving_ns = function.saving_ns(effect);
  table.add_row({seconds(saving_ns), percent_cell(saving_ns, profile_ns),
                 function.judged == 0 ? "-" : rate(function, effect.hit_rate), with_thousands(function.calls),
                 with_thousands(function.hits.distinct), names.function(function.code), names.place(function.code)});
}

std::string sizes(const CacheOpportunity &function) {
  std::string text;
  for (const CacheEffect &effect : function.hits.by_maxsize) {
    const std::string size = effect.maxsize == 0 ? "None" : std::to_string(effect.maxsize);
    text += text.empty() ? "" : "; ";
    text += effect.known ? fmt::format("maxsize={}: {}, saves {}", size, rate(function, effect.hit_rate),
                                       seconds(function.saving_ns(effect)))
                         : fmt::format("maxsize={}: -", size);
  }
  return text;
}

std::string self_note(const CacheOpportunity &function) {
  if (!function.hit_rate_without_self) {
    return {};
  }
  const std::string objects = function.selves == 1 ? "1 object" : with_thousands(function.selves) + " objects";
  return fmt::format("self was {}: a hit needs the same one; without regard to it {}", objects,
                     rate(function, *function.hit_rate_without_self));
}

Json json(const CacheOpportunity &function, const CodeTable &codes) {
  const CodeInfo &code = codes.at(function.code);
  Json by_maxsize = Json::array();
  for (const CacheEffect &effect : function.hits.by_maxsize) {
    by_maxsize.push_back({{"maxsize", effect.maxsize == 0 ? Json(nullptr) : Json(effect.maxsize)},
                          {"hit_rate", effect.known ? Json(effect.hit_rate) : Json(nullptr)},
                          {"saving_ns", effect.known ? Json(function.saving_ns(effect)) : Json(nullptr)}});
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
      {"hit_rate_kind", function.is_exact() ? "measured" : "at_least"},
      {"hit_rate_of", function.measured ? "calls" : "time"},
      {"hit_rate_if_same_objects",
       function.hits_if_same ? Json(function.hits_if_same->unbounded().hit_rate) : Json(nullptr)},
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

TextTable table_of(const TableLayout &layout) {
  return {layout.width,
          {{"saves CPU"},
           {"profile"},
           {"hits"},
           {"calls seen"},
           {"keys"},
           {"function", TextTable::Kind::name},
           {"file:line", TextTable::Kind::name}}};
}

void add_recommended(TextTable &table, const CacheOpportunity &function) {
  table.add_text(sizes(function), k_cache_indent);
  if (const std::string note = self_note(function); !note.empty()) {
    table.add_text(note, k_cache_indent);
  }
  if (function.confirmed) {
    table.add_text("confirmed: equal arguments always returned equal values", k_cache_indent);
  }
  for (const std::string &each : function.reasons) {
    table.add_text("note: " + one_line(each), k_cache_indent);
  }
  for (const std::string &example : function.examples) {
    table.add_text(one_line(example), k_cache_indent);
  }
}

} // namespace

namespace {

constexpr std::uint64_t k_little = 100; // a hundredth of the profile

/// How the figures came about.
std::string footer(const CacheOpportunities &opportunities) {
  const auto is_measured = [](const CacheOpportunity &function) { return function.measured; };
  const std::vector<CacheOpportunity> &all = opportunities.functions;
  if (!all.empty() && std::all_of(all.begin(), all.end(), is_measured)) {
    return "Every call was counted (awaitscope trace), so that hits are those of the calls that were made; ≥ is a "
           "lower "
           "bound. What a "
           "cache saves is the "
           "cost of the calls that would have hit; functions that call each other save it once.";
  }
  return "Samples separate one call from the next by where its callers stand, and by its arguments and variables (-f "
         "latency). "
         "They do not show how many calls there were: hits are a part of the function's time, and ≥ is a lower bound "
         "(95 %), for a "
         "cache that keeps everything; - is not known. What a cache saves is the cost of the calls that would have "
         "hit, as an "
         "estimate; functions that call each other save it once.";
}

std::string functions(std::size_t count) { return count == 1 ? "1 function" : with_thousands(count) + " functions"; }

} // namespace

std::string cache_text(const CacheOpportunities &opportunities, const TableLayout &layout, const FrameNames &names) {
  TextTable good = table_of(layout);
  TextTable others = table_of(layout);
  std::size_t recommended = 0;
  std::size_t rest = 0;
  std::size_t left = 0;
  std::size_t cheap = 0;
  for (const CacheOpportunity &function : opportunities.functions) {
    if (!function.recommended && layout.limit != 0 && function.cpu_ns * k_little < opportunities.profile_ns) {
      ++cheap;
      continue;
    }
    std::size_t &rows = function.recommended ? recommended : rest;
    if (!layout.has_room(rows)) {
      ++left;
      continue;
    }
    ++rows;
    add_row(function.recommended ? good : others, function, opportunities.profile_ns, names);
    if (function.recommended) {
      add_recommended(good, function);
      continue;
    }
    for (const std::string &reason : function.reasons) {
      others.add_text(one_line(reason), k_cache_indent);
    }
  }
  std::string text = "Worth a cache:\n";
  text += recommended == 0 ? "  none of the functions whose arguments were read\n" : good.text();
  text += rest == 0 ? "" : "\nNot recommended:\n" + others.text();
  if (left + cheap > 0) {
    text += wrapped(fmt::format("and {} more{} (--limit 0 shows all)", functions(left + cheap),
                                cheap == 0  ? ""
                                : left == 0 ? ", with less than 1 % of the profile each"
                                            : fmt::format(", {} of them with less than 1 % of the profile each",
                                                          with_thousands(cheap))),
                    layout.width);
  }
  return text + '\n' + wrapped(footer(opportunities), layout.width);
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
