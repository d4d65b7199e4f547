#pragma once

#include <string>
#include <string_view>

namespace awaitscope {

/// A symbol as its language writes it, C++ without parameters, and Rust (legacy names, which are made like those of C++). What is no such name, or would be
/// longer than a page, stays as it is. Without what compilers add to parts and copies of a function.
std::string demangled(std::string_view full);

} // namespace awaitscope
