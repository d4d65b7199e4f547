#include "awaitscope/export/caches.hpp"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/export/names.hpp"
#include "awaitscope/export/snapshot_json.hpp"
#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"
#include "json_text.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

std::string place_of(const FunctionCache &cache, const std::vector<std::string> &import_paths) {
  if (!cache.file.empty()) {
    return fmt::format("{}:{}", one_line(importable_path(cache.file, import_paths)), cache.line);
  }
  return one_line(cache.module);
}

/// A number of at most seven characters.
std::string short_number(std::uint64_t value) {
  constexpr std::uint64_t k_million = 1'000'000;
  return value < k_million           ? with_thousands(value)
         : value < 1'000 * k_million ? fmt::format("{}M", value / k_million)
                                     : fmt::format("{:.1e}", static_cast<double>(value));
}

std::string size_text(const FunctionCache &cache) {
  return fmt::format("{}/{}", short_number(cache.counts.currsize),
                     cache.maxsize ? short_number(*cache.maxsize) : "none");
}

std::string rate_text(const std::optional<double> &calls) {
  constexpr double k_few = 10;
  return !calls                       ? "-"
         : *calls<k_few && * calls> 0 ? fmt::format("{:.1f}", *calls)
                                      : short_number(static_cast<std::uint64_t>(std::llround(*calls)));
}

Json json(const std::optional<double> &value) {
  constexpr double k_places = 1e4;
  return value ? Json(std::round(*value * k_places) / k_places) : Json(nullptr);
}

Json cache_json(const JudgedCache &row) {
  const FunctionCache &cache = row.cache;
  return {{"id", id_text(cache.id)},
          {"name", cache.function},
          {"module", cache.module.empty() ? Json(nullptr) : Json(cache.module)},
          {"file", cache.file.empty() ? Json(nullptr) : Json(cache.file)},
          {"line", cache.file.empty() ? Json(nullptr) : Json(cache.line)},
          {"interpreter", cache.interpreter},
          {"hits", cache.counts.hits},
          {"misses", cache.counts.misses},
          {"maxsize", cache.maxsize ? Json(*cache.maxsize) : Json(nullptr)},
          {"currsize", cache.counts.currsize},
          {"typed", cache.typed},
          {"hit_rate", json(row.hit_rate)},
          {"calls_per_second", json(row.calls_per_second)},
          {"advice", row.advice.empty() ? Json(nullptr) : Json(row.advice)}};
}

} // namespace

std::string caches_text(const CacheSurvey &survey, const std::vector<JudgedCache> &caches, const TableLayout &layout) {
  constexpr std::size_t k_indent = 8;
  std::string head = fmt::format("Process {}: Python {}, {} lru_caches in {} modules\n", survey.process.pid,
                                 survey.process.python, with_thousands(caches.size()), with_thousands(survey.modules));
  if (caches.empty()) {
    return head;
  }
  TextTable table(layout.width, {{"calls/s"},
                                 {"hit rate"},
                                 {"size/maxsize"},
                                 {"function", TextTable::Kind::name},
                                 {"file:line", TextTable::Kind::name}});
  std::size_t shown = 0;
  for (; shown < caches.size() && layout.has_room(shown); ++shown) {
    const JudgedCache &row = caches[shown];
    table.add_row({rate_text(row.calls_per_second), row.hit_rate ? percent_text(*row.hit_rate) : "-",
                   size_text(row.cache), one_line(row.cache.function), place_of(row.cache, survey.import_paths)});
    if (!row.advice.empty()) {
      table.add_text(row.advice, k_indent);
    }
  }
  return head + table.text() +
         (shown == caches.size() ? ""
                                 : fmt::format("and {} more (--limit 0 shows all, --json has them all)\n",
                                               with_thousands(caches.size() - shown)));
}

std::string caches_json(const CacheSurvey &survey, const std::vector<JudgedCache> &caches) {
  constexpr double k_ns = 1e9;
  Json rows = Json::array();
  for (const JudgedCache &row : caches) {
    rows.push_back(cache_json(row));
  }
  const Json document = {{"schema", 1},
                         {"process", process_json(survey.process)},
                         {"interval_s", json(static_cast<double>(survey.between_ns) / k_ns)},
                         {"modules", survey.modules},
                         {"left_out", survey.left_out},
                         {"unreadable", survey.unreadable},
                         {"complete", !survey.out_of_time},
                         {"caches", std::move(rows)}};
  return json_text(document);
}

} // namespace awaitscope
