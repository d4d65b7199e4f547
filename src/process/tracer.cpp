#include "awaitscope/process/tracer.hpp"

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "awaitscope/process/scheduling_attributes.hpp"

namespace awaitscope {
namespace {

/// Of the tracer's thread: it works for microseconds, while others stand still for it.
void be_prompt() {
  constexpr std::uint64_t k_not_inherited = 1; // SCHED_FLAG_RESET_ON_FORK
  constexpr std::uint64_t k_slice_ns = 100'000;
  SchedulingAttributes attributes;
  attributes.policy = SCHED_FIFO;
  attributes.priority = 1;
  attributes.flags = k_not_inherited;
  if (!set_own_scheduling(attributes)) {
    attributes = own_scheduling();
    attributes.runtime_ns = attributes.policy == SCHED_OTHER ? k_slice_ns : attributes.runtime_ns;
    set_own_scheduling(attributes);
  }
}

} // namespace

struct Tracer::Shared {
  enum class Phase : std::uint8_t { idle, asked, over };
  std::mutex mutex;
  std::condition_variable changed;
  Phase phase = Phase::idle;
  std::function<void()> work;
  std::function<bool()> overdue; ///< empty: nothing is
  std::chrono::steady_clock::time_point overdue_at;

  void set(Phase next) {
    const std::lock_guard lock(mutex);
    phase = next;
    changed.notify_all();
  }

  /// What the thread does.
  void serve() {
    std::unique_lock lock(mutex);
    const auto asked = [this] { return phase != Phase::idle; };
    while (phase != Phase::over) {
      if (overdue && !asked() && !changed.wait_until(lock, overdue_at, asked)) {
        const std::function<bool()> late = std::exchange(overdue, nullptr);
        lock.unlock();
        const bool goes_on = late();
        lock.lock();
        phase = goes_on ? phase : Phase::over;
        changed.notify_all();
      } else if (phase == Phase::asked) {
        const std::function<void()> now = std::exchange(work, nullptr);
        lock.unlock();
        now();
        lock.lock();
        phase = phase == Phase::asked ? Phase::idle : phase;
        changed.notify_all();
      } else {
        changed.wait(lock, [&] { return asked() || overdue; });
      }
    }
  }
};

bool Tracer::start() {
  auto shared = std::make_shared<Shared>();
  sigset_t all{};
  sigset_t before{};
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before); // the thread inherits it: signals are for the others
  try {
    std::thread([shared] {
      be_prompt();
      shared->serve();
    }).detach();
    shared_ = std::move(shared);
  } catch (const std::system_error &) { // EAGAIN: ulimit -u, pids.max
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return shared_ != nullptr;
}

bool Tracer::run(std::function<void()> work, std::chrono::milliseconds longest) {
  using Phase = Shared::Phase;
  const auto is_over = [this] {
    const std::lock_guard lock(shared_->mutex);
    return shared_->phase == Phase::over;
  };
  if ((!shared_ || is_over()) && !start()) {
    return false;
  }
  {
    std::unique_lock lock(shared_->mutex);
    shared_->overdue = nullptr;
    shared_->work = std::move(work);
    shared_->phase = shared_->phase == Phase::idle ? Phase::asked : shared_->phase;
    shared_->changed.notify_all();
    shared_->changed.wait_for(lock, longest, [this] { return shared_->phase != Phase::asked; });
    if (shared_->phase == Phase::idle) {
      return true;
    }
  }
  abandon();
  return false;
}

void Tracer::unless_soon(std::function<bool()> overdue, std::chrono::nanoseconds within) {
  if (shared_) {
    const std::lock_guard lock(shared_->mutex);
    shared_->overdue = std::move(overdue);
    shared_->overdue_at = std::chrono::steady_clock::now() + within;
    shared_->changed.notify_all();
  }
}

void Tracer::abandon() {
  if (const std::shared_ptr<Shared> shared = std::exchange(shared_, nullptr)) {
    shared->set(Shared::Phase::over);
  }
}

} // namespace awaitscope
