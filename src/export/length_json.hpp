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
  using Json = nlohmann::ordered_json;
  return !length || length->is == Length::Is::measured ? Json(nullptr)
         : length->is == Length::Is::longer            ? Json("longer")
                                                       : Json("shorter");
}

} // namespace awaitscope
