#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "awaitscope/support/text.hpp"

namespace awaitscope {

/// A document as it is printed, with a line feed behind it: names of any kind in it are safe on a terminal.
inline std::string json_text(const nlohmann::ordered_json &document) {
  return printable_json(document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace)) + "\n";
}

} // namespace awaitscope
