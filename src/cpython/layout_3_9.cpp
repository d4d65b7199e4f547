#include "layout_tables.hpp"

namespace awaitscope {

// CPython 3.9: as 3.8, at other offsets.
Layout layout_3_9() {
  Layout l = layout_3_8();
#include "offsets/3_9.inc"
  return l;
}

} // namespace awaitscope
