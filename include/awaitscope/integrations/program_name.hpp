#pragma once

#include <string>
#include <vector>

namespace awaitscope {

/// What a person would call the program that a process runs, by its command line: the title that it gave itself ("gunicorn:
/// worker [app]"), else what its Python runs (a module's name, a script's without its folder), else its executable. Without
/// folders, since a name may be shown to others. Empty if the command line is.
std::string program_name(const std::vector<std::string> &command_line);

} // namespace awaitscope
