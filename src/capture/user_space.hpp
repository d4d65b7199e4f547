#pragma once

#include "awaitscope/model/ids.hpp"

namespace awaitscope {

inline constexpr Address k_end = Address{1} << 47U; // of user space on x86-64

} // namespace awaitscope
