#pragma once

#include <cstddef>
#include <cstdint>

#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope {

/// Lets a BPF program wake a thread of this process, from wherever it runs: a ring buffer (Documentation/bpf/ringbuf.rst of the
/// kernel), for what is told by it and not for what is in it.
class BpfWakeup {
public:
  BpfWakeup();
  BpfWakeup(const BpfWakeup &) = delete;
  BpfWakeup &operator=(const BpfWakeup &) = delete;
  ~BpfWakeup();

  [[nodiscard]] bool valid() const { return consumed_ != nullptr && produced_ != nullptr; }
  [[nodiscard]] int map() const { return map_.get(); }

  /// Sleeps until a program wakes it, that moment (CLOCK_MONOTONIC), or a signal.
  void wait(std::int64_t until_ns);

private:
  void *map_page(int protection, std::size_t page) const;

  UniqueFd map_;
  std::size_t page_size_;
  void *consumed_ = nullptr; ///< a page that begins with the number of bytes that were read
  void *produced_ = nullptr; ///< and that were written
};

} // namespace awaitscope
