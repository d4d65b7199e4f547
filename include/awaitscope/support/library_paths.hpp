#pragma once

#include <cstddef>
#include <string_view>

namespace awaitscope {

/// Where in a path the name of a file begins that Python or one of its packages came with: behind the last "site-packages/" or
/// "dist-packages/", else behind "lib/python3.12/"; 0 if the file is below neither.
std::size_t behind_library(std::string_view file);

/// Whether a file is part of the program itself: not of a library, nor frozen into the interpreter.
bool is_program_file(std::string_view file);

} // namespace awaitscope
