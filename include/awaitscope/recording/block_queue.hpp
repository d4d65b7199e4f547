#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "awaitscope/recording/frame_codec.hpp"
#include "awaitscope/support/error.hpp"

namespace awaitscope {

/// Compresses and writes blocks in a thread of its own: a disk that makes writers wait must not hold up the sampling. The
/// thread has the scheduling and the CPUs of the thread that makes this: make it before those are changed.
class BlockQueue {
public:
  /// Writes all of the bytes, or fails. Called in the queue's thread.
  using Write = std::function<Result<void>(std::string_view)>;

  /// Writes the recording's head first.
  explicit BlockQueue(Write write);
  BlockQueue(const BlockQueue &) = delete;
  BlockQueue &operator=(const BlockQueue &) = delete;
  ~BlockQueue();

  void put(std::string block);

  /// So much may wait for a disk that does not keep up, in bytes before they are compressed.
  static constexpr std::size_t k_most_waiting = std::size_t{16} << 20U;

  /// Does more wait than may? What is put all the same is kept: later blocks build on it. Whoever has a choice puts nothing.
  [[nodiscard]] bool full() const { return waiting_.load(std::memory_order_relaxed) > k_most_waiting; }

  /// A write has failed: nothing more will be written.
  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_relaxed); }

  /// Has all been written that was put, if need be after waiting for so long?
  bool is_written_within(std::chrono::milliseconds patience);

  /// Waits until all is written.
  Result<void> close();

private:
  void run();
  void write(std::string_view bytes);

  Write write_;
  FrameEncoder encoder_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> blocks_;
  bool closing_ = false;
  std::atomic<bool> failed_{false};
  std::atomic<std::size_t> waiting_{0}; ///< bytes of blocks_, and of the one that is being written
  std::optional<Error> error_;          ///< of the queue's thread, until it has ended
  std::thread thread_;
};

} // namespace awaitscope
