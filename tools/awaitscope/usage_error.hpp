#pragma once

#include <string>
#include <vector>

#include "awaitscope/support/error.hpp"
#include "command_line.hpp"

namespace awaitscope::tools {

/// What is wrong with a command line that CLI11 refused, and what may have been meant. `words` are those before "--".
Error usage_error(const CLI::ParseError &error, const CommandLine &line, const std::vector<std::string> &words);

} // namespace awaitscope::tools
