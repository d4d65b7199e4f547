#pragma once

#include <cstddef>
#include <cstdint>

#include "awaitscope/support/unique_fd.hpp"

// What BPF programs and this process share. A map that the kernel does not permit has a negative descriptor.

namespace awaitscope {

/// One value that a BPF program and this process share: a map of one entry, mapped here (Documentation/bpf/map_array.rst of
/// the kernel, BPF_F_MMAPABLE). Zero at first.
class BpfMemory {
public:
  explicit BpfMemory(std::size_t size);
  BpfMemory(const BpfMemory &) = delete;
  BpfMemory &operator=(const BpfMemory &) = delete;
  ~BpfMemory();

  /// Null where the kernel permits no such map.
  [[nodiscard]] std::byte *data() const { return data_; }
  [[nodiscard]] int map() const { return map_.get(); }

private:
  UniqueFd map_;
  std::byte *data_ = nullptr;
  std::size_t size_;
};

/// One perf event, for a BPF program to read.
class BpfEvent {
public:
  BpfEvent();
  [[nodiscard]] int map() const { return map_.get(); }
  /// In place of the one before. Where that cannot be, false.
  bool set(int event);

private:
  UniqueFd map_;
};

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
