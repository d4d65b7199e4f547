#pragma once

#include <atomic>
#include <condition_variable>
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

  /// A write has failed: nothing more will be written.
  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_relaxed); }

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
  std::optional<Error> error_; ///< of the queue's thread, until it has ended
  std::thread thread_;
};

} // namespace awaitscope
