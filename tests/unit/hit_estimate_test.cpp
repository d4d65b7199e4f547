#include "awaitscope/report/hit_estimate.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <vector>

#include "catch.hpp"

using namespace awaitscope;

namespace {

struct Stream {
  std::vector<std::size_t> keys;
  [[nodiscard]] double hit_rate() const {
    const std::set<std::size_t> distinct(keys.begin(), keys.end());
    return 1 - static_cast<double>(distinct.size()) / static_cast<double>(keys.size());
  }
};

/// Samples one call behind the other, each of that length in periods, with one tick at random in each period.
std::vector<KeyedCall> sample(const Stream &stream, double length, std::mt19937_64 &random) {
  std::uniform_real_distribution<double> place(0, 1);
  std::vector<KeyedCall> calls;
  double begin = place(random);
  auto period = static_cast<double>(0);
  double tick = place(random);
  for (const std::size_t key : stream.keys) {
    double seen = 0;
    while (tick < begin + length) {
      seen += tick >= begin ? 1 : 0;
      period += 1;
      tick = period + place(random);
    }
    if (seen > 0) {
      calls.push_back({key, seen, seen});
    }
    begin += length;
  }
  return calls;
}

Stream zipf(std::size_t count, std::size_t keys, std::mt19937_64 &random) {
  std::vector<double> weights;
  for (std::size_t i = 0; i < keys; ++i) {
    weights.push_back(1 / std::pow(static_cast<double>(i + 1), 1.1));
  }
  std::discrete_distribution<std::size_t> pick(weights.begin(), weights.end());
  Stream stream;
  for (std::size_t i = 0; i < count; ++i) {
    stream.keys.push_back(pick(random));
  }
  return stream;
}

Stream uniform(std::size_t count, std::size_t keys, std::mt19937_64 &random) {
  std::uniform_int_distribution<std::size_t> pick(0, keys - 1);
  Stream stream;
  for (std::size_t i = 0; i < count; ++i) {
    stream.keys.push_back(pick(random));
  }
  return stream;
}

/// Runs of `length` calls with one key, which does not come again.
Stream bursts(std::size_t count, std::size_t length) {
  Stream stream;
  for (std::size_t i = 0; i < count; ++i) {
    stream.keys.push_back(i / length);
  }
  return stream;
}

} // namespace

TEST_CASE("the probabilities of being seen are those of one sample at a random moment of each period") {
  for (const double length : {0.0, 0.1, 0.7, 1.0, 1.6, 2.5}) {
    const std::array<double, 3> seen = seen_by(length);
    CHECK(seen[0] + seen[1] + seen[2] <= 1 + 1e-9);
  }
  CHECK(std::abs(seen_by(0)[0] - (1)) < 1e-9);
  CHECK(std::abs(1 - seen_by(0.1)[0] - (0.1 - 0.001 / 6)) < 2e-4); // length less the pairs of ticks that both lie in it
  CHECK(std::abs(seen_by(2)[0] - (0)) < 1e-9);
}

TEST_CASE("of calls of which every one is there an LRU cache is simulated") {
  std::vector<KeyedCall> calls;
  for (std::size_t i = 0; i < 4000; ++i) {
    calls.push_back({i % 200, 1, i % 2 == 0 ? 1.0 : 3.0});
  }
  const HitEstimate estimate = measure_hits(calls);
  CHECK(estimate.distinct == 200);
  CHECK(estimate.by_maxsize[0].hit_rate == 0); // 200 keys in turn never hit a cache of 128
  CHECK(std::abs(estimate.by_maxsize[1].hit_rate - (0.95)) < 1e-9);
  CHECK(std::abs(estimate.unbounded().hit_rate - (0.95)) < 1e-9);
  CHECK(std::abs(estimate.unbounded().saved - (0.95)) < 1e-9);
  CHECK(measure_hits({}).unbounded().hit_rate == 0);
}

TEST_CASE("a call that raises leaves nothing in a cache") {
  std::vector<KeyedCall> calls;
  for (std::size_t i = 0; i < 400; ++i) {
    calls.push_back({i % 4, 1, 1.0, i % 4 == 3});
  }
  const HitEstimate estimate = measure_hits(calls);
  CHECK(estimate.distinct == 3);
  CHECK(std::abs(estimate.unbounded().hit_rate - 297.0 / 400) < 1e-9);
  CHECK(std::abs(estimate.unbounded().saved - 297.0 / 400) < 1e-9);
}

TEST_CASE("a hit rate out of samples is a lower bound, and near the truth where calls are long") {
  std::mt19937_64 random(5);
  for (const double length : {0.05, 0.4, 0.9, 1.4, 2.2, 6.0}) {
    const auto count = static_cast<std::size_t>(500 / std::min(1.0, length));
    for (const Stream &stream : {zipf(count, 200, random), uniform(count, 60, random), uniform(count, 400, random),
                                 uniform(count, 1'000'000'000, random), bursts(count, 8), bursts(count, 2)}) {
      const std::vector<KeyedCall> calls = sample(stream, length, random);
      REQUIRE(calls.size() >= 300);
      const double rate = estimate_hits(calls).unbounded().hit_rate;
      INFO("length " << length << ", " << stream.keys.size() << " calls, hit rate " << stream.hit_rate() << ", "
                     << calls.size() << " seen: " << rate);
      CHECK(rate <= stream.hit_rate() + 0.02);
      if (length > 2) {
        CHECK(rate >= stream.hit_rate() - 0.10);
      }
    }
  }
}

TEST_CASE("what samples say of hits is a part of the time, and true whatever short calls they did not see") {
  // Calls of five periods with ten keys, and between them as much time in calls of a fiftieth of a period, each with a key of its own:
  // half of the time hits, of 51 calls one.
  std::vector<KeyedCall> calls;
  for (std::size_t i = 0; i < 100; ++i) {
    calls.push_back({i % 10, 5, 5});
    for (std::size_t k = 0; k < 5; ++k) {
      calls.push_back({1000 + i * 5 + k, 1, 1});
    }
  }
  const HitEstimate estimate = estimate_hits(calls);
  CHECK(estimate.unbounded().hit_rate <= 0.45); // 50 of 1,000 periods are the first calls of the ten
  CHECK(estimate.unbounded().hit_rate >= 0.40);
}

TEST_CASE("of a bounded cache samples say nothing") {
  std::vector<KeyedCall> calls;
  for (std::size_t i = 0; i < 4000; ++i) {
    calls.push_back({i * 7 % 200, 1, 1}); // one call of seven is seen, of 200 keys in turn: 128 never hit
  }
  const HitEstimate estimate = estimate_hits(calls);
  CHECK(!estimate.by_maxsize[0].known);
  CHECK(!estimate.by_maxsize[1].known);
  CHECK(estimate.unbounded().known);
  CHECK(estimate.unbounded().hit_rate > 0.9);
}
