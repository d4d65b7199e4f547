#pragma once

#include <span>

#include "awaitscope/asyncio/label_reader.hpp"
#include "awaitscope/model/code_table.hpp"
#include "awaitscope/stitch/stitch.hpp"

namespace awaitscope {

/// Puts the labels of frames right behind them: "SQL SELECT … FROM orders", without its values; "template shop/cart.html". `between` is
/// of the stack that they are of.
void add_labels(std::span<const FrameLabel> labels, CodeTable &codes, FramesBetween &between);

} // namespace awaitscope
