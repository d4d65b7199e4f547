#include "awaitscope/process/overseen_thread.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "awaitscope/process/proc_fs.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {
namespace {

constexpr std::int64_t k_kept_off_ns = 100'000'000;

void block_ending_signals() {
  sigset_t ending{};
  ::sigemptyset(&ending);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    ::sigaddset(&ending, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &ending, nullptr);
}

/// Does it wait, in the state of its stat file, for bytes to come? In some system calls nothing else makes it sleep: a page that
/// userfaultfd is to bring is waited for as for a disk (D), one of a file system in user space first as a signal could end it (S). In
/// others it may wait for what is due, and only D is for bytes; others again sleep like that for a while (to take back a BPF program).
bool waits_for_bytes(ThreadId tid, char state) {
  constexpr std::array<long, 3> k_only_for_bytes{SYS_process_vm_readv, SYS_pread64, SYS_openat};
  const std::optional<std::string> text = read_file(fmt::format("/proc/self/task/{}/syscall", tid));
  long number = -1;
  if (text) {
    std::from_chars(text->data(), text->data() + text->size(), number);
  }
  const bool only = std::find(k_only_for_bytes.begin(), k_only_for_bytes.end(), number) != k_only_for_bytes.end();
  return (only && (state == 'D' || state == 'S')) || (number == SYS_read && state == 'D');
}

} // namespace

OverseenThread::OverseenThread(std::function<void()> work) {
  ::sched_getaffinity(0, sizeof cpus_, &cpus_);
  thread_ = std::thread([shared = shared_, work = std::move(work)] {
    block_ending_signals();
    {
      const std::lock_guard lock(shared->mutex);
      shared->tid = ::gettid();
    }
    work();
    const std::lock_guard lock(shared->mutex);
    shared->done = true;
    shared->changed.notify_all();
  });
}

OverseenThread::~OverseenThread() {
  if (thread_.joinable()) {
    thread_.join();
  }
}

bool OverseenThread::done(std::chrono::milliseconds wait) {
  {
    std::unique_lock lock(shared_->mutex);
    if (shared_->changed.wait_for(lock, wait, [this] { return shared_->done; })) {
      stuck_ns_ = 0;
      return true;
    }
    if (!watch_ && shared_->tid != 0) {
      watch_.emplace(::getpid(), shared_->tid);
    }
  }
  if (watch_) {
    check();
  }
  return false;
}

void OverseenThread::check() {
  const std::optional<SchedStat> now = watch_->schedstat();
  const std::optional<TaskStat> status = watch_->stat();
  const std::int64_t now_ns = monotonic_ns();
  const bool went_on = !now || !seen_ || !status || now->times_run != seen_->times_run || now->cpu_ns != seen_->cpu_ns;
  if (went_on) {
    seen_ = now;
    seen_ns_ = now_ns;
    stuck_ns_ = 0;
    return;
  }
  stuck_ns_ = waits_for_bytes(watch_->tid(), status->state) ? now_ns - seen_ns_ : 0;
  if (status->state == 'R' && now_ns - seen_ns_ >= k_kept_off_ns) {
    set_free();
    seen_ns_ = now_ns;
  }
}

void OverseenThread::set_free() {
  const sched_param none{0};
  ::sched_setaffinity(watch_->tid(), sizeof cpus_, &cpus_);
  ::sched_setscheduler(watch_->tid(), SCHED_OTHER | SCHED_RESET_ON_FORK, &none);
  ++freed_;
}

void OverseenThread::abandon() { thread_.detach(); }

} // namespace awaitscope
