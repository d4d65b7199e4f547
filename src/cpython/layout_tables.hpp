#pragma once

#include "awaitscope/cpython/layout.hpp"

namespace awaitscope {

// One table a minor, each from the headers of that minor: a new CPython is a new one of these.
Layout layout_3_11();
Layout layout_3_12();
Layout layout_3_13();

} // namespace awaitscope
