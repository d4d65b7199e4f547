#include "awaitscope/report/sampling_quality.hpp"
#include "catch.hpp"
#include "common.hpp"

using namespace awaitscope;

TEST_CASE("losses of ticks and of samples count together") {
  SamplingTotals totals;
  CHECK(lost_percent(totals, 0) == 0);
  CHECK(losses(totals) == "none");
  totals.ticks = 90;
  totals.lost[static_cast<std::size_t>(Loss::late)] = 10;
  CHECK(std::abs(lost_percent(totals, 100) - 10) < 1e-9);
  totals.lost[static_cast<std::size_t>(Loss::ended)] = 100; // half of what was due in the other ticks
  CHECK(std::abs(lost_percent(totals, 100) - 55) < 1e-9);
  CHECK(losses(totals) == "10 late, 100 ended");
}

TEST_CASE("a slow-down is of the time that the processes had") {
  SamplingTotals totals;
  CHECK(slowdown_text(totals) == "none");
  totals.elapsed_ns = k_second;
  totals.read_ns = k_second / 100;
  totals.task_look_ns = k_second / 100;
  CHECK(slowdown_text(totals) == "about 2.0 %");
  totals.process_cpu_ns = 4 * k_second; // of several threads at once
  CHECK(slowdown_text(totals) == "about 0.5 %");
  totals.read_ns = totals.task_look_ns = 1000;
  CHECK(slowdown_text(totals) == "under 0.1 %");
}
