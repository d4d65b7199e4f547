#pragma once

#include <cstdint>
#include <string>

#include "awaitscope/model/ids.hpp"

namespace awaitscope {

/// What is known of a type object. Types of the interpreter and its modules live as long as the process.
struct TypeInfo {
  std::string name; ///< tp_name: "coroutine", "_asyncio.Task"
  Address base = 0;
  std::int64_t basic_size = 0;
  std::int64_t dict_offset = 0;
  std::uint64_t flags = 0;
  bool valid = false;
};

} // namespace awaitscope
