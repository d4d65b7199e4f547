#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/model/stack.hpp"

namespace awaitscope {

nlohmann::ordered_json frames_json(const std::vector<Frame> &frames, const CodeTable &codes);

} // namespace awaitscope
