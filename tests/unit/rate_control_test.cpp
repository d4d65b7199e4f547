#include "awaitscope/sampler/rate_control.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "awaitscope/sampler/pacer.hpp"
#include "catch.hpp"
#include "common.hpp"

using namespace awaitscope;

namespace {

/// A machine with a clock of its own, on which a tick costs what it is told to.
struct Machine {
  Machine(double rate, std::optional<double> share) : control(rate, share) { control.start(now, spent); }

  /// Ticks for so long. `fixed`: cost a second whatever the rate.
  void run(std::int64_t duration, std::int64_t tick_cost, std::int64_t fixed = 0) {
    const std::int64_t end = now + duration;
    const std::int64_t spent_before = spent;
    while (now < end) {
      const auto period = static_cast<std::int64_t>(1e9 / control.rate_hz());
      now += period;
      spent += tick_cost + fixed * period / k_second;
      weighed += control.weight();
      ++ticks;
      control.look(now, spent, ticks);
      fastest = std::max(fastest, control.rate_hz());
    }
    last_share = static_cast<double>(spent - spent_before) / static_cast<double>(duration);
  }

  RateControl control;
  std::int64_t now = 5 * k_second;
  std::int64_t spent = 80 * k_ms; // before it began
  std::uint64_t ticks = 0;
  std::uint64_t weighed = 0;
  double fastest = 0;
  double last_share = 0; ///< of the last run
};

} // namespace

TEST_CASE("without a limit the rate is kept, and each sample weighs one") {
  Machine machine(1000, std::nullopt);
  machine.run(3 * k_second, 900'000);
  CHECK(machine.control.rate_hz() == 1000);
  CHECK(machine.weighed == machine.ticks);
}

TEST_CASE("a rate that costs less than the limit is kept") {
  Machine machine(1000, 0.05);
  machine.run(5 * k_second, 40'000);
  CHECK(machine.control.rate_hz() == 1000);
  CHECK(machine.weighed == machine.ticks);
}

TEST_CASE("a rate that costs more is lowered within a fifth of a second, and stays near the limit and below it") {
  Machine machine(1000, 0.01);
  machine.run(k_second / 5, 40'000);
  CHECK(machine.control.rate_hz() < 250);
  machine.run(5 * k_second, 40'000);
  machine.run(10 * k_second, 40'000);
  CHECK(machine.last_share <= 0.01);
  CHECK(machine.last_share >= 0.008);
}

TEST_CASE("what was spent above the limit is saved afterwards") {
  Machine machine(1000, 0.01);
  machine.run(10 * k_second, 40'000);
  CHECK(static_cast<double>(machine.spent - 80 * k_ms) <= 0.0102 * static_cast<double>(machine.now - 5 * k_second));
}

TEST_CASE(
    "ticks that become dear lower the rate at once; ticks that become cheap raise it slowly, and never above what was "
    "asked") {
  Machine machine(1000, 0.01);
  machine.run(10 * k_second, 40'000);
  const double before = machine.control.rate_hz();
  machine.run(k_second / 2, 400'000);
  CHECK(machine.control.rate_hz() < before / 4);
  machine.run(8 * k_second, 400'000);
  machine.run(4 * k_second, 400'000);
  CHECK(machine.last_share <= 0.0105);
  const double low = machine.control.rate_hz();
  machine.run(k_second, 40'000);
  CHECK(machine.control.rate_hz() < 2.2 * low);
  machine.run(15 * k_second, 40'000);
  CHECK(machine.control.rate_hz() > 0.9 * before);
  machine.run(20 * k_second, 1'000);
  CHECK(machine.control.rate_hz() == 1000);
  CHECK(machine.fastest == 1000);
}

TEST_CASE("what is spent without ticks counts as well, and the rate does not die of it") {
  Machine machine(1000, 0.01);
  machine.run(20 * k_second, 20'000, 4 * k_ms); // 0.4 % whatever the rate
  machine.run(10 * k_second, 20'000, 4 * k_ms);
  CHECK(machine.last_share <= 0.01);
  CHECK(machine.last_share >= 0.008);
  Machine hopeless(1000, 0.01);
  hopeless.run(20 * k_second, 20'000, 50 * k_ms);
  CHECK(hopeless.control.rate_hz() >= 1);
}

TEST_CASE("the weights of ticks at any rate sum to the ticks that were asked for") {
  Machine machine(1000, 0.01);
  for (const std::int64_t cost : {40'000, 400'000, 90'000, 7'000, 1'000'000}) {
    machine.run(4 * k_second, cost);
  }
  const auto asked = static_cast<double>(machine.now - 5 * k_second) / 1e6;
  CHECK(std::abs(static_cast<double>(machine.weighed) - asked) <= 0.001 * asked);
  CHECK(machine.ticks < machine.weighed / 2);
}

TEST_CASE("a pacer whose rate changes has one tick in each period of the new rate") {
  Pacer pacer(0, 1000, 7);
  std::int64_t now = pacer.next(0).due_ns;
  pacer.change_rate(now, 10);
  std::uint64_t missed = 0;
  const std::int64_t begin = k_ms; // where the period ends that the first tick was in
  for (int i = 0; i < 50; ++i) {
    const Pacer::Tick tick = pacer.next(now);
    missed += tick.missed;
    CHECK(tick.due_ns - begin >= i * 100 * k_ms);
    CHECK(tick.due_ns - begin < (i + 1) * 100 * k_ms);
    now = tick.due_ns;
  }
  CHECK(missed == 0);
}

TEST_CASE("however often the rate changes, the periods of all ticks are the time that passed") {
  Pacer pacer(0, 1000, 7);
  const std::array<double, 5> rates{1000, 20, 3, 300, 7};
  double rate = 1000;
  double covered_ns = 0;
  std::int64_t now = 0;
  for (std::size_t i = 0; i < 2000; ++i) {
    now = pacer.next(now).due_ns;
    covered_ns += 1e9 / rate;
    rate = rates[i % rates.size()];
    pacer.change_rate(now, rate);
  }
  CHECK(std::abs(covered_ns - static_cast<double>(now)) <= 0.005 * static_cast<double>(now));
}

TEST_CASE("late ticks are noticed once, when a tenth of a second's are late") {
  LateTicks late;
  CHECK_FALSE(late.notice(k_second / 4, 250, 200)); // there is no second yet
  CHECK_FALSE(late.notice(k_second, 900, 250));
  CHECK_FALSE(late.notice(k_second * 5 / 4, 1200, 300)); // 50 of a thousand
  CHECK_FALSE(late.notice(k_second * 9 / 4, 2200, 390));
  CHECK(late.notice(k_second * 13 / 4, 2600, 800));
  CHECK_FALSE(late.notice(k_second * 17 / 4, 2700, 1500)); // told already
}
