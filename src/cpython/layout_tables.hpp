#pragma once

#include "awaitscope/cpython/layout.hpp"

namespace awaitscope {

// One table a minor: its offsets, which scripts/generate_layouts takes from the minor's headers, and its rules, which a person
// reads there. A new CPython is a new one of these.
Layout layout_3_8();
Layout layout_3_9();
Layout layout_3_10();
Layout layout_3_11();
Layout layout_3_12();
Layout layout_3_13();
Layout layout_3_13t();
Layout layout_3_14();
Layout layout_3_14t();
Layout layout_3_15();
Layout layout_3_15t();

void set_rules_3_14(Layout &layout);

/// What a build with --disable-gil has otherwise, beside its offsets.
void set_free_threaded(Layout &layout);

} // namespace awaitscope
