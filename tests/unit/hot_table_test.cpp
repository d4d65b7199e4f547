#include <numeric>

#include "awaitscope/export/hot.hpp"
#include "awaitscope/report/file_origin.hpp"
#include "catch.hpp"
#include "common.hpp"
#include "site.hpp"

using namespace awaitscope;
using namespace awaitscope::testing;

namespace {

std::size_t lines_of(const std::string &text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// A recording, and tables of it.
struct Recorded {
  explicit Recorded(const MemoryRecorder &recorder)
      : reader(*RecordingReader::open(std::make_unique<MemorySource>(recorder.bytes()))),
        costs(*read_costs(reader, {})) {}

  [[nodiscard]] HotFunctions hot(const ProfileOptions &options = {}, TableOrder order = TableOrder::usual) const {
    return hot_functions(reader.tables(), costs, options, order);
  }

  [[nodiscard]] std::string text(HotTable table, const ProfileOptions &given = {}) const {
    const FrameNames names(reader.tables().codes, reader.info().import_paths, FileNames::importable, Lines::definition);
    ProfileOptions options = given;
    options.metric = table.metric;
    table.subject = "uvicorn 41";
    table.recorded = costs.sum();
    table.recorded += costs.unsampled;
    return hot_text(hot(options, table.order), table, reader, names);
  }

  RecordingReader reader;
  StackCosts costs;
};

Recorded site() {
  MemoryRecorder recorder(site_info());
  record_site(recorder, 1);
  return Recorded(recorder);
}

HotTable table_of(Metric metric) {
  HotTable table;
  table.metric = metric;
  table.layout.width = 120;
  return table;
}

} // namespace

TEST_CASE(
    "every cost is of a function, of native threads, unreadable or not sampled, and each function is somebody's") {
  const Recorded recorded = site();
  const HotFunctions hot = recorded.hot();
  for (const Metric metric : {Metric::wall, Metric::cpu, Metric::await}) {
    std::uint64_t functions = 0;
    for (const FunctionCost &function : hot.functions) {
      functions += value_of(function.own, metric);
    }
    std::uint64_t origins = 0;
    for (const OriginCost &origin : hot.origins) {
      origins += value_of(origin.own, metric);
    }
    CHECK(functions == origins);
    CHECK(functions + value_of(hot.native, metric) + value_of(hot.unreadable, metric) +
              value_of(hot.unsampled, metric) ==
          value_of(hot.sum, metric));
  }
  CHECK(hot.native.samples == 200);
  CHECK(hot.unreadable.samples > 0);
  CHECK(hot.unsampled.cpu_ns > 0);
}

TEST_CASE("the table says whose code the cost is of") {
  const std::string text = site().text(table_of(Metric::cpu));
  const std::size_t self = text.find("\nSelf: your code ");
  REQUIRE(self != std::string::npos);
  std::size_t before = self;
  for (const char *part :
       {"your code ", "django ", "uvicorn ", "standard library ", "native threads ", "unreadable ", "not sampled "}) {
    const std::size_t at = text.find(part, self);
    if (std::string(part) != "uvicorn ") { // no function of it was innermost
      INFO(part);
      REQUIRE(at != std::string::npos);
      CHECK(at > before);
      before = at;
    } else {
      CHECK(at == std::string::npos);
    }
  }
  CHECK(has(text, "[not sampled]"));
  CHECK(has(text, "[unreadable]"));
  CHECK(has(text, "[native threads]"));
  CHECK(text.starts_with("uvicorn 41, Python 3.13.0, 2.0 s, CPU "));
}

TEST_CASE("rows are left out by a limit, or as not of the project; shares stay those of all") {
  const Recorded recorded = site();
  const std::string all = recorded.text(table_of(Metric::wall));
  HotTable few = table_of(Metric::wall);
  few.layout.limit = 2;
  const std::string first = recorded.text(few);
  CHECK(has(first, "the first 2 of 13 functions (--limit 0 shows all)"));
  CHECK(lines_of(all) - lines_of(first) == 11);
  HotTable own = table_of(Metric::wall);
  own.rows = ShownRows::project;
  const std::string project = recorded.text(own);
  CHECK(has(project, "all 6 functions of your own code, 7 hidden (--hide-framework)"));
  CHECK_FALSE(has(project, "ASGIHandler"));
  CHECK(has(all, "ASGIHandler"));
  CHECK(all.substr(all.find("\nSelf: ")) == project.substr(project.find("\nSelf: ")));
  const std::size_t row = all.find("catalogue_view");
  CHECK(has(project, all.substr(all.rfind('\n', row), row - all.rfind('\n', row))));
}

TEST_CASE("functions are ordered by what they cost themselves, or in all") {
  const Recorded recorded = site();
  const CodeTable &codes = recorded.reader.tables().codes;
  const HotFunctions total = recorded.hot({}, TableOrder::total);
  CHECK(codes.at(total.functions.front().code).function ==
        "convert_exception_to_response.<locals>.inner"); // of equal ones, that which costs more itself
  CHECK(std::is_sorted(total.functions.begin(), total.functions.end(),
                       [](const auto &a, const auto &b) { return a.total.samples > b.total.samples; }));
  const HotFunctions own = recorded.hot();
  CHECK(std::is_sorted(own.functions.begin(), own.functions.end(),
                       [](const auto &a, const auto &b) { return a.own.samples > b.own.samples; }));
  CHECK(own.functions.size() == total.functions.size());
}

TEST_CASE("idle threads that are asked for by their state have their samples, as in folded stacks") {
  MemoryRecorder recorder(invented_info());
  record_small(recorder, 1);
  const Recorded recorded(recorder);
  ProfileOptions options;
  options.filter.states = {ThreadState::idle};
  std::uint64_t folded = 0;
  for (const WeightedStack &stack : stack_profile(recorded.reader.tables(), recorded.costs, options)) {
    folded += stack.weight;
  }
  CHECK(folded == 2000);
  CHECK(recorded.hot(options).sum.samples == folded);
}

TEST_CASE("files are of the project, of a package or of the standard library, by their full path") {
  const auto kind = [](const char *file) { return file_origin(file).kind; };
  using Kind = FileOrigin::Kind;
  CHECK(kind("/srv/shop/views.py") == Kind::project);
  CHECK(kind("views.py") == Kind::project);
  CHECK(kind("<string>") == Kind::project);
  CHECK(kind("") == Kind::standard);
  CHECK(kind("/srv/shop/lib/python-tools/x.py") == Kind::project);
  CHECK(kind("/usr/lib/python3.13/asyncio/tasks.py") == Kind::standard);
  CHECK(kind("<frozen importlib._bootstrap>") == Kind::standard);
  CHECK(kind("/srv/shop/.venv/lib/python3.13/site-packages/django/urls.py") == Kind::library);
  CHECK(file_origin("/srv/shop/.venv/lib/python3.13/site-packages/django/urls.py").package == "django");
  CHECK(file_origin("/usr/lib/python3/dist-packages/six.py").package == "six");
}
