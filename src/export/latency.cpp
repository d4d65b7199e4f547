#include "awaitscope/export/latency.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"
#include "json_text.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t k_rows = 40;

std::string time(std::uint64_t nanoseconds) { return human_duration(static_cast<std::int64_t>(nanoseconds)); }

/// A duration in a column: as wide as it looks ("µ" is two bytes and one place).
std::string cell(std::int64_t nanoseconds) { return fmt::format("{:>10}", human_duration(nanoseconds)); }

/// With what is known of it; "-" if there is none.
std::string cell(const std::optional<Length> &length) {
  const std::string_view mark = !length || length->is == Length::Is::measured ? ""
                                : length->is == Length::Is::longer            ? ">"
                                                                              : "<";
  return fmt::format("{:>10}", length ? fmt::format("{}{}", mark, human_duration(length->ns)) : "-");
}

Json json(const std::optional<Length> &length) { return length ? Json(length->ns) : Json(nullptr); }

Json bound(const std::optional<Length> &length) {
  return !length || length->is == Length::Is::measured ? Json(nullptr)
         : length->is == Length::Is::longer            ? Json("longer")
                                                       : Json("shorter");
}

} // namespace

std::string latency_text(const Latencies &latencies, FrameNames &names, const CodeTable &codes) {
  std::string text =
      fmt::format("{:>8} {:>6} {:>10} {:>10} {:>10} {:>10} {:>10} {:>10}  function, and what it awaited most\n",
                  "calls", "cut", "p50", "p95", "p99", "max", "CPU", "await");
  std::size_t rows = 0;
  for (const FunctionLatency &function : latencies.functions) {
    if (rows == k_rows) {
      break;
    }
    ++rows;
    text += fmt::format("{:>8} {:>6} {} {} {} {} {} {}  {}", with_thousands(function.calls),
                        with_thousands(function.cut), cell(function.p50), cell(function.p95), cell(function.p99),
                        cell(function.max_ns), cell(static_cast<std::int64_t>(function.cpu_ns)),
                        cell(static_cast<std::int64_t>(function.await_ns)),
                        one_line(names.name({function.code, 0, FrameKind::python})));
    if (!function.await_on.empty()) {
      const auto &[code, nanoseconds] = function.await_on.front();
      text += fmt::format("; {} {}", one_line(codes.at(code).function), time(nanoseconds));
    }
    text += '\n';
  }
  if (latencies.functions.size() > rows) {
    text += fmt::format("and {} functions more (--json has them all)\n", latencies.functions.size() - rows);
  }
  if (latencies.traced) {
    return text + "Every call of these functions was counted, to the nanosecond.\n";
  }
  text += fmt::format(
      "Calls shorter than {} are mostly not seen, and those that are have < before the time between two readings. A "
      "call "
      "that is cut by the recording's end counts as longer than what was seen of it (>); one that had begun before the "
      "recording is left out of p50 to p99.\n",
      time(static_cast<std::uint64_t>(latencies.resolution_ns)));
  if (latencies.plain_calls) {
    text +=
        "A plain function is in the same call in two samples of a thread if its callers have not moved, and it cannot "
        "have got there otherwise; where several calls may count as one, p50 to p99 have <.\n";
  }
  return text;
}

std::string latency_json(const Latencies &latencies, const CodeTable &codes) {
  Json functions = Json::array();
  for (const FunctionLatency &function : latencies.functions) {
    const CodeInfo &code = codes.at(function.code);
    Json await_on = Json::array();
    for (const auto &[awaited, nanoseconds] : function.await_on) {
      await_on.push_back({{"function", codes.at(awaited).function}, {"ns", nanoseconds}});
    }
    functions.push_back({{"function", code.function},
                         {"file", code.file},
                         {"line", code.first_line},
                         {"calls", function.calls},
                         {"cut", function.cut},
                         {"brief", function.brief},
                         {"merged", function.merged},
                         {"mean_ns", function.mean_ns ? Json(*function.mean_ns) : Json(nullptr)},
                         {"p50_ns", json(function.p50)},
                         {"p95_ns", json(function.p95)},
                         {"p99_ns", json(function.p99)},
                         {"p50_is", bound(function.p50)},
                         {"p95_is", bound(function.p95)},
                         {"p99_is", bound(function.p99)},
                         {"max_ns", function.max_ns},
                         {"cpu_ns", function.cpu_ns},
                         {"await_ns", function.await_ns},
                         {"await_on", std::move(await_on)}});
  }
  const Json document = {
      {"schema", 1}, {"resolution_ns", latencies.resolution_ns}, {"functions", std::move(functions)}};
  return json_text(document);
}

} // namespace awaitscope
