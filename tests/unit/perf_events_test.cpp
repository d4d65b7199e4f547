#include "awaitscope/process/perf_events.hpp"

#include <cerrno>
#include <limits>

#include "awaitscope/model/event_count.hpp"
#include "catch.hpp"

using namespace awaitscope;

namespace {

PerfEvent parsed(const std::string &name) {
  Result<PerfEvent> event = parse_perf_event(name);
  REQUIRE(event);
  return *event;
}

void check_refused(const std::string &name) {
  INFO(name);
  const Result<PerfEvent> event = parse_perf_event(name);
  REQUIRE_FALSE(event);
  CHECK(event.error().status == ExitStatus::usage);
  CHECK_FALSE(event.error().hint.empty());
}

} // namespace

TEST_CASE("events are known by the names that perf has for them") {
  struct Known {
    const char *name;
    std::uint32_t type;
    std::uint64_t config;
  };
  for (const Known &known :
       {Known{"instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS},
        Known{"cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
        Known{"cache-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CACHE_MISSES},
        Known{"branch-misses", PERF_TYPE_HARDWARE, PERF_COUNT_HW_BRANCH_MISSES},
        Known{"page-faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS},
        Known{"minor-faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MIN},
        Known{"major-faults", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS_MAJ},
        Known{"context-switches", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES},
        Known{"cpu-migrations", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_MIGRATIONS},
        Known{"task-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK},
        Known{"cpu-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK},
        Known{"L1-dcache-load-misses", PERF_TYPE_HW_CACHE, 0x10000}, Known{"r01c2", PERF_TYPE_RAW, 0x1c2}}) {
    INFO(known.name);
    const PerfEvent event = parsed(known.name);
    CHECK(event.name == known.name);
    CHECK(event.attributes.type == known.type);
    CHECK(event.attributes.config == known.config);
    CHECK(event.attributes.exclude_user == 0);
    CHECK(event.attributes.exclude_kernel == 0);
  }
}

TEST_CASE("an event is counted in the modes that are behind it") {
  for (const std::string name : {"page-faults", "r01c2", "instructions"}) {
    INFO(name);
    CHECK(parsed(name + ":u").attributes.exclude_kernel == 1);
    CHECK(parsed(name + ":u").attributes.exclude_user == 0);
    CHECK(parsed(name + ":k").attributes.exclude_kernel == 0);
    CHECK(parsed(name + ":k").attributes.exclude_user == 1);
    CHECK(parsed(name + ":u").name == name + ":u");
  }
}

TEST_CASE("what is no event, or would always be 0, is wrong usage") {
  for (const char *name : {"", ":u", "no-such-event", "r", "rxyz", "page-faults:x", "page-faults,cycles", "../x:y",
                           "a:../b", "task-clock:u", "cpu-clock:k", "context-switches:u", "cpu-migrations:u"}) {
    check_refused(name);
  }
}

TEST_CASE("why an event is not counted, and what helps") {
  const PerfEvent event = parsed("cycles");
  const auto status_of = [&](int error) {
    const Error told = cannot_count(event, error);
    CHECK(told.what.find("cycles") != std::string::npos);
    CHECK_FALSE(told.hint.empty());
    return told.status;
  };
  CHECK(status_of(EACCES) == ExitStatus::denied);
  CHECK(status_of(EPERM) == ExitStatus::denied);
  CHECK(status_of(ENOENT) == ExitStatus::failed);
  CHECK(status_of(EOPNOTSUPP) == ExitStatus::failed);
  CHECK(status_of(EINVAL) == ExitStatus::failed);
  CHECK(status_of(EMFILE) == ExitStatus::failed);
}

TEST_CASE("a count is scaled by the time that it had a counter") {
  CHECK(EventCount{100, 1000, 1000}.scaled() == 100);
  CHECK(EventCount{100, 1000, 250}.scaled() == 400);
  CHECK(EventCount{0, 1000, 0}.scaled() == 0);
  CHECK(EventCount{7, 0, 0}.scaled() == 7);
  CHECK(EventCount{300, 3000, 2000}.since({100, 1000, 1000}).scaled() == 400);
  constexpr std::uint64_t k_most = std::numeric_limits<std::uint64_t>::max();
  CHECK(EventCount{k_most, k_most, 1}.scaled() > 0); // of a file that says anything
}
