#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "awaitscope/report/length_estimate.hpp"

namespace awaitscope {

/// Nanoseconds; null if there is none.
inline nlohmann::ordered_json length_json(const std::optional<Length> &length) {
  return length ? nlohmann::ordered_json(length->ns) : nlohmann::ordered_json(nullptr);
}

/// "longer" or "shorter"; null if it is measured, or there is none.
inline nlohmann::ordered_json bound_json(const std::optional<Length> &length) {
  if (!length || length->is == Length::Is::measured) {
    return nullptr;
  }
  return length->is == Length::Is::longer ? "longer" : "shorter";
}

} // namespace awaitscope
