#include "awaitscope/recording/block_queue.hpp"

#include <csignal>
#include <utility>

namespace awaitscope {
namespace {

/// Signals are for the thread that samples: its sleep must end when one comes. A new thread inherits what is blocked.
class SignalsBlocked {
public:
  SignalsBlocked() {
    sigset_t all{};
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked &) = delete;
  SignalsBlocked &operator=(const SignalsBlocked &) = delete;

private:
  sigset_t before_{};
};

} // namespace

BlockQueue::BlockQueue(Write write) : write_(std::move(write)) {
  const SignalsBlocked blocked;
  thread_ = std::thread([this] { run(); });
}

BlockQueue::~BlockQueue() { static_cast<void>(close()); }

void BlockQueue::put(std::string block) {
  waiting_.fetch_add(block.size(), std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    blocks_.push_back(std::move(block));
  }
  changed_.notify_one();
}

void BlockQueue::write(std::string_view bytes) {
  if (error_) {
    return;
  }
  if (Result<void> written = write_(bytes); !written) {
    error_ = std::move(written.error());
    failed_.store(true, std::memory_order_relaxed);
  }
}

void BlockQueue::run() {
  write(recording_head());
  while (true) {
    std::string block;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closing_ || !blocks_.empty(); });
      if (blocks_.empty()) {
        return;
      }
      block = std::move(blocks_.front());
      blocks_.pop_front();
    }
    write(encoder_.encode(block));
    {
      const std::lock_guard lock(mutex_);
      waiting_.fetch_sub(block.size(), std::memory_order_relaxed);
    }
    changed_.notify_all();
  }
}

bool BlockQueue::is_written_within(std::chrono::milliseconds patience) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, patience, [this] { return waiting_.load(std::memory_order_relaxed) == 0; });
}

Result<void> BlockQueue::close() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  return error_ ? Result<void>(tl::unexpected(*error_)) : Result<void>();
}

} // namespace awaitscope
