#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "awaitscope/model/sample.hpp"
#include "awaitscope/support/text.hpp"

// What views of samples say of them.
namespace awaitscope {

/// How long so many samples stand for, in nanoseconds. `costs` knows the period.
template <typename Costs> std::uint64_t time_of(const Costs &costs, std::uint64_t samples) {
  return samples * static_cast<std::uint64_t>(costs.period_ns);
}

/// Of what has samples by state, those in one.
template <typename Row> std::uint64_t in_state(const Row &row, ThreadState state) {
  return row.samples_in[static_cast<std::size_t>(state)];
}

/// "GET orders/"
inline std::string route_label(const std::string &method, const std::string &route) {
  return one_line(fmt::format("{} {}", method, route));
}

} // namespace awaitscope
