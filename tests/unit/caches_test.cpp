#include <algorithm>
#include <sstream>

#include <nlohmann/json.hpp>

#include "awaitscope/export/caches.hpp"
#include "awaitscope/report/caches.hpp"
#include "catch.hpp"

using namespace awaitscope;

namespace {

FunctionCache cache(const std::string &name, std::optional<std::uint64_t> maxsize, CacheCounts counts) {
  FunctionCache made;
  made.id = 0x7f00;
  made.function = name;
  made.module = "app";
  made.file = "/srv/app.py";
  made.line = 12;
  made.maxsize = maxsize;
  made.counts = counts;
  return made;
}

CacheSurvey survey_of(std::vector<FunctionCache> caches) {
  CacheSurvey survey;
  survey.process.pid = 7;
  survey.process.python = "3.13.0";
  survey.import_paths = {"/srv"};
  survey.caches = std::move(caches);
  survey.modules = 3;
  return survey;
}

std::string advice(const FunctionCache &cache) { return judge_caches(survey_of({cache})).front().advice; }

std::size_t width(const std::string &line) {
  return static_cast<std::size_t>(std::count_if(
      line.begin(), line.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

} // namespace

TEST_CASE("advice for a cache") {
  CHECK(advice(cache("f", 128, {0, 0, 0})) == "never called");
  CHECK(advice(cache("f", 0, {0, 500, 0})) == "maxsize=0 keeps nothing: remove it");
  CHECK(advice(cache("f", 128, {1, 98, 98})).empty()); // too few calls
  CHECK(advice(cache("f", 128, {3, 97, 97})) == "hit rate 3 %: remove it");
  CHECK(advice(cache("f", std::nullopt, {4, 996, 996})) == "hit rate 0.4 %: remove it");
  CHECK(advice(cache("f", 128, {700, 300, 128})) == "full and missing: raise maxsize");
  CHECK(advice(cache("f", 128, {3, 997, 128})) == "full, hit rate 0.3 %: enlarge or remove it");
  CHECK(advice(cache("f", 128, {9900, 200, 128})).empty()); // full, and it does well
  CHECK(advice(cache("f", 128, {500, 127, 127})).empty());  // not full: the first call of each
  CHECK(advice(cache("f", std::nullopt, {500, 100, 100})).empty());
}

TEST_CASE("an unbounded cache that grows and grows") {
  FunctionCache growing = cache("f", std::nullopt, {90'000, 20'000, 20'000});
  CHECK(advice(growing).empty()); // one reading does not tell
  growing.earlier = CacheCounts{90'000, 20'000, 20'000};
  CHECK(advice(growing).empty());
  growing.earlier = CacheCounts{89'000, 19'900, 19'900};
  CHECK(advice(growing) == "unbounded and growing: give it a maxsize");
  growing.maxsize = 1'000'000;
  CHECK(advice(growing).empty());
}

TEST_CASE("calls a second are those between two readings, and decide what comes first") {
  FunctionCache busy = cache("busy", 128, {9'000, 1'000, 100});
  busy.earlier = CacheCounts{8'000, 1'000, 100};
  FunctionCache missing = cache("missing", 128, {500, 500, 128});
  missing.earlier = CacheCounts{400, 400, 128};
  FunctionCache cleared = cache("cleared", 128, {30, 10, 10});
  cleared.earlier = CacheCounts{5'000, 5'000, 128};
  CacheSurvey survey = survey_of({cache("unread", 128, {1, 1, 1}), cleared, busy, missing});
  survey.between_ns = 500'000'000;
  const std::vector<JudgedCache> judged = judge_caches(survey);
  REQUIRE(judged.size() == 4);
  CHECK(judged[0].cache.function == "missing"); // 400 a second, half of them missed; busy: 2,000, a tenth
  CHECK(judged[0].calls_per_second == 400.0);
  CHECK(judged[1].cache.function == "busy");
  CHECK(judged[1].calls_per_second == 2000.0);
  CHECK(judged[1].hit_rate == 0.9);
  CHECK(judged[2].cache.function == "cleared"); // at least those since it was cleared
  CHECK(judged[2].calls_per_second == 80.0);
  CHECK_FALSE(judged[3].calls_per_second);
}

TEST_CASE("caches as JSON") {
  FunctionCache unbounded = cache("Outer.method", std::nullopt, {3, 1, 1});
  unbounded.typed = true;
  FunctionCache builtin = cache("abs", 128, {0, 0, 0});
  builtin.file.clear();
  builtin.module = "builtins";
  CacheSurvey survey = survey_of({unbounded, builtin});
  survey.between_ns = 1'500'000'000;
  survey.left_out = 2;
  survey.out_of_time = true;
  const auto document = nlohmann::json::parse(caches_json(survey, judge_caches(survey)));
  CHECK(document["schema"] == 1);
  CHECK(document["process"]["pid"] == 7);
  CHECK(document["interval_s"] == 1.5);
  CHECK(document["left_out"] == 2);
  CHECK(document["complete"] == false);
  const auto &rows = document["caches"];
  REQUIRE(rows.size() == 2);
  const nlohmann::json expected = {{"id", "0x7f00"},
                                   {"name", "Outer.method"},
                                   {"module", "app"},
                                   {"file", "/srv/app.py"},
                                   {"line", 12},
                                   {"interpreter", 0},
                                   {"hits", 3},
                                   {"misses", 1},
                                   {"maxsize", nullptr},
                                   {"currsize", 1},
                                   {"typed", true},
                                   {"hit_rate", 0.75},
                                   {"calls_per_second", nullptr},
                                   {"advice", nullptr}};
  CHECK(rows[0] == expected);
  CHECK(rows[1]["file"].is_null());
  CHECK(rows[1]["line"].is_null());
  CHECK(rows[1]["hit_rate"].is_null());
  CHECK(rows[1]["advice"] == "never called");
}

TEST_CASE("the table of caches fits 80 columns, and names are safe") {
  FunctionCache longest = cache("Ж" + std::string(200, 'x') + "\x1b[31m", 1'000'000'000, {5, 100'000'000, 99'999'999});
  longest.file = "/srv/" + std::string(100, 'd') + "/file.py";
  CacheSurvey survey = survey_of({longest, cache("short", 128, {97, 3, 3})});
  const std::string text = caches_text(survey, judge_caches(survey), {80, 40});
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find(" 3/128  short ") != std::string::npos);
  CHECK(text.find("  app.py:12\n") != std::string::npos);
  CHECK(text.find("/file.py:12\n") != std::string::npos);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    CHECK(width(line) <= 80);
  }
  const std::string one = caches_text(survey, judge_caches(survey), {80, 1});
  CHECK(one.find("and 1 more") != std::string::npos);
  CHECK(caches_text(survey_of({}), {}, {}) == "Process 7: Python 3.13.0, 0 lru_caches in 3 modules\n");
}
