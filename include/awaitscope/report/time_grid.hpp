#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "awaitscope/report/costs.hpp"

namespace awaitscope {

/// What everything together cost in each part of each second: a column a second, from top to bottom its parts. In a long recording a
/// column is 2, 4, 8, … seconds.
class TimeGrid {
public:
  static constexpr std::int64_t k_rows = 25;
  static constexpr std::int64_t k_most_columns = 600;

  [[nodiscard]] std::int64_t column_ns() const { return slot_ns_ * k_rows; }

  /// By time, one column after the other; as far as anything was added. Of Metric::cpu and of an event that is CPU time: samples on a CPU.
  [[nodiscard]] const std::vector<std::uint64_t> &slots(Metric metric) const {
    return slots_[static_cast<std::size_t>(metric)];
  }

  void add(Metric metric, std::int64_t at_ns, std::uint64_t value);

  /// A run of samples, as far as it lies inside the range.
  void add(const SampleRun &run, const TimeRange &range, bool in_wall);

  /// Each nanosecond where it was.
  void add_await(std::int64_t from_ns, std::int64_t to_ns);

private:
  void make_room(std::int64_t at_ns);

  std::int64_t slot_ns_ = 1'000'000'000 / k_rows;
  std::array<std::vector<std::uint64_t>, 4> slots_;
};

} // namespace awaitscope
