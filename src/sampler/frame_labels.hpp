#pragma once

#include <cstddef>
#include <string>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/stitch/stitch.hpp"

namespace awaitscope {

/// Puts what a frame works on right behind it: "SQL SELECT … FROM orders", "template shop/cart.html". No more of its name than people can
/// read in a flame graph. `frame` is an index in the stack that `between` is of.
void add_label(const char *kind, const std::string &name, std::size_t frame, CodeTable &codes, FramesBetween &between);

} // namespace awaitscope
