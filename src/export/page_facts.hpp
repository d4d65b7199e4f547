#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "awaitscope/recording/reader.hpp"

namespace awaitscope {

/// What was recorded, for the page's head: [[name, value], …].
nlohmann::ordered_json page_facts(const RecordingReader &reader, const std::string &source);

/// What people should know before they believe the numbers: [{text, warn}, …].
nlohmann::ordered_json page_quality(const RecordingReader &reader);

} // namespace awaitscope
