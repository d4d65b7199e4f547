#pragma once

// What the parts of the HTML page's data share.

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "awaitscope/report/length_estimate.hpp"
#include "awaitscope/support/text.hpp"

namespace awaitscope {

/// A name as the page shows it.
inline std::string page_text(std::string_view text) { return one_line(valid_utf8(text)); }

inline std::string page_json(const nlohmann::ordered_json &json) {
  return json.dump(-1, ' ', true, nlohmann::ordered_json::error_handler_t::replace);
}

/// [nanoseconds, what is known of it]; null if there is none.
inline nlohmann::ordered_json page_length(const std::optional<Length> &length) {
  using Json = nlohmann::ordered_json;
  return length ? Json{length->ns, static_cast<int>(length->is)} : Json(nullptr);
}

} // namespace awaitscope
