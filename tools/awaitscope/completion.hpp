#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "awaitscope/support/error.hpp"

namespace awaitscope::tools {

/// What makes a shell complete commands, options and their values, or the manual page (roff): for bash, zsh, fish, man. Another
/// name is wrong usage.
Result<std::string> completion_for(const CLI::App &app, const std::string &shell);

/// roff, for man(1).
std::string manual_page(const CLI::App &app);

} // namespace awaitscope::tools
