#pragma once

#include "awaitscope/cpython/function_facts.hpp"
#include "awaitscope/cpython/objects.hpp"

namespace awaitscope {

/// Of a code object (Include/cpython/code.h). What cannot be read is 0, empty, or "?".
CodeParts read_code_parts(ObjectReader &objects, Address code);

} // namespace awaitscope
