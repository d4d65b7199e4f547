#pragma once

#include <cstdint>
#include <optional>

#include "awaitscope/model/code_table.hpp"

namespace awaitscope {

/// What a suspended task waits for.
enum class WaitKind : std::uint8_t {
  unknown, ///< a future of which nothing else is known
  timer,
  socket,
  lock, ///< or a semaphore: before 3.11 code objects do not tell them apart. asyncio's locks do not keep who holds them
  event, ///< or a condition, likewise
  queue,
  task,
  executor, ///< a thread, or another process, that works for it
  pool,     ///< a connection out of a pool
  process,  ///< the end of a child process
};

/// What it means for a task that a function of a library is in its stack.
struct WaitPlace {
  enum class Reach : std::uint8_t {
    itself, ///< where it is innermost: it awaits a future of its own
    below,  ///< whatever it awaits
  };
  WaitKind kind = WaitKind::unknown;
  Reach reach = Reach::itself;
};

/// Nothing where the function is none that waits for something known.
std::optional<WaitPlace> wait_place(const CodeInfo &code);

} // namespace awaitscope
