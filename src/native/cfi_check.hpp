#pragma once

#include <cstdint>
#include <functional>

#include "awaitscope/model/ids.hpp"

namespace awaitscope {

/// Reads bytes at an address of the process; false if they are not there.
using ReadImage = std::function<bool(Address, void *, std::size_t)>;

/// Whether libunwind may follow this frame description (an FDE of .eh_frame) and what it refers to. libunwind trusts them in places:
/// src/dwarf/Gparser.c of 1.6.2 indexes arrays by the return address column of a CIE and by the second operand of DW_CFA_register
/// (apply_reg_state()), and ends the process by assert() where no rule gives the CFA; Gexpr.c divides by what an expression says, and
/// goes round in circles with DW_OP_skip; what it does not know it takes for another instruction. So only what compilers write is
/// let through: a description that holds anything else counts as none.
bool is_sound_description(const ReadImage &read, Address description);

} // namespace awaitscope
