#include "awaitscope/export/caches.hpp"

#include <algorithm>
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

constexpr std::size_t k_columns = 80;
constexpr std::size_t k_numbers = 35; ///< columns before the function
constexpr std::size_t k_name = k_columns - k_numbers;

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

/// The first characters of a text that is too long.
std::string first_of(std::string_view text, std::size_t most) {
  if (characters(text) <= most) {
    return std::string(text);
  }
  std::size_t end = 0;
  for (std::size_t count = 0; end < text.size(); ++end) {
    if (begins_character(text[end]) && count++ == most - 1) {
      break;
    }
  }
  return std::string(text.substr(0, end)) + "…";
}

/// The last ones: of a path, the file is at the end.
std::string last_of(std::string_view text, std::size_t most) {
  std::size_t left = characters(text);
  if (left <= most) {
    return std::string(text);
  }
  std::size_t begin = 0;
  for (; begin < text.size(); ++begin) {
    if (begins_character(text[begin]) && left-- == most - 1) {
      break;
    }
  }
  return "…" + std::string(text.substr(begin));
}

std::string place_of(const FunctionCache &cache, const std::vector<std::string> &import_paths) {
  if (!cache.file.empty()) {
    return fmt::format("({}:{})", one_line(importable_path(cache.file, import_paths)), cache.line);
  }
  return cache.module.empty() ? std::string() : fmt::format("({})", one_line(cache.module));
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

/// The function, where it is, and the advice: what does not fit goes on in the next line.
std::string row_text(const JudgedCache &row, const std::vector<std::string> &import_paths) {
  const std::string name = one_line(row.cache.function);
  const std::string place = place_of(row.cache, import_paths);
  std::string text = fmt::format("{:>8} {:>8} {:>15}  ", rate_text(row.calls_per_second),
                                 row.hit_rate ? percent_text(*row.hit_rate) : "-", size_text(row.cache));
  const std::string indent(k_numbers, ' ');
  if (characters(name) + 1 + characters(place) <= k_name) {
    text += fmt::format("{} {}\n", name, place);
  } else {
    text += fmt::format("{}\n{}  {}\n", first_of(name, k_name), indent, last_of(place, k_name - 2));
  }
  if (!row.advice.empty()) {
    text += fmt::format("{}  {}\n", indent, row.advice);
  }
  return text;
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

std::string caches_text(const CacheSurvey &survey, const std::vector<JudgedCache> &caches, std::size_t limit) {
  std::string text = fmt::format("Process {}: Python {}, {} lru_caches in {} modules\n", survey.process.pid,
                                 survey.process.python, with_thousands(caches.size()), with_thousands(survey.modules));
  if (caches.empty()) {
    return text;
  }
  text += fmt::format("{:>8} {:>8} {:>15}  {}\n", "calls/s", "hit rate", "size/maxsize", "function");
  for (std::size_t i = 0; i < std::min(limit, caches.size()); ++i) {
    text += row_text(caches[i], survey.import_paths);
  }
  if (caches.size() > limit) {
    text +=
        fmt::format("and {} more (--limit 0 shows all, --json has them all)\n", with_thousands(caches.size() - limit));
  }
  return text;
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
