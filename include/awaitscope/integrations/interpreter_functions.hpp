#pragma once

#include <cstdint>
#include <string_view>

#include "awaitscope/model/native_stack.hpp"

namespace awaitscope {

enum class NativeLibrary : std::uint8_t { interpreter, other };

/// What a native function is to a Python stack. `symbol` is empty if it has no name. Of the interpreter, a function without a name
/// counts as part of how it calls: in a build without .symtab most of those between two Python frames are.
NativeRole native_role(std::string_view symbol, NativeLibrary library);

} // namespace awaitscope
