#include "awaitscope/sampler/thread_stats.hpp"

#include <csignal>
#include <cstdlib>
#include <functional>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include "catch.hpp"

using awaitscope::ProcessClock;
using awaitscope::TargetThread;
using awaitscope::ThreadId;
using awaitscope::ThreadStats;
using awaitscope::ThreadWatch;

namespace {

/// A process with two threads, each of which waits for a byte, works for a moment, and waits for the next.
class Workers {
public:
  Workers() {
    for (auto &ends : wake_) {
      REQUIRE(::pipe(ends.data()) == 0);
    }
    REQUIRE(::pipe(done_.data()) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::alarm(30);
      std::thread other([this] { serve(wake_[1][0]); });
      serve(wake_[0][0]);
    }
    for (int i = 0; i < 2; ++i) { // both are there once both have answered
      wake(i);
    }
  }
  Workers(const Workers &) = delete;
  Workers &operator=(const Workers &) = delete;
  ~Workers() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    for (const int fd : {wake_[0][0], wake_[0][1], wake_[1][0], wake_[1][1], done_[0], done_[1]}) {
      ::close(fd);
    }
  }

  /// Lets one run, and returns when both are blocked again.
  void wake(int which) {
    char byte = 'w';
    REQUIRE(::write(wake_[static_cast<std::size_t>(which)][1], &byte, 1) == 1);
    REQUIRE(::read(done_[0], &byte, 1) == 1);
    for (const ThreadId tid : awaitscope::list_ids("/proc/" + std::to_string(pid_) + "/task")) {
      while (ThreadWatch(pid_, tid).run() != ThreadWatch::Run::blocked) {
        ::usleep(100);
      }
    }
  }

  [[nodiscard]] ThreadId pid() const { return pid_; }

  /// As a tick that saw both blocked leaves them.
  [[nodiscard]] std::vector<TargetThread> threads() const {
    std::vector<TargetThread> threads;
    for (const ThreadId tid : awaitscope::list_ids("/proc/" + std::to_string(pid_) + "/task")) {
      TargetThread thread;
      thread.watch = ThreadWatch(pid_, tid);
      thread.stat = thread.watch.schedstat();
      REQUIRE(thread.stat);
      thread.blocked_at = thread.stat->times_run;
      threads.push_back(std::move(thread));
    }
    REQUIRE(threads.size() == 2);
    return threads;
  }

private:
  [[noreturn]] void serve(int from) const {
    char byte = 0;
    while (::read(from, &byte, 1) == 1) {
      volatile unsigned sum = 0;
      for (unsigned i = 0; i < 100'000; ++i) {
        sum = sum + i;
      }
      if (::write(done_[1], &byte, 1) != 1) {
        break;
      }
    }
    ::_exit(0);
  }

  std::array<std::array<int, 2>, 2> wake_{};
  std::array<int, 2> done_{};
  ThreadId pid_ = 0;
};

} // namespace

TEST_CASE("a thread that ran since is read anew, whichever it is") {
  Workers workers;
  std::vector<TargetThread> threads = workers.threads();
  ThreadStats stats(workers.pid());
  for (const int which : {0, 1, 1, 0}) {
    stats.refresh(threads);
    workers.wake(which);
    const std::uint64_t first = threads[0].stat->times_run;
    const std::uint64_t second = threads[1].stat->times_run;
    stats.refresh(threads);
    for (TargetThread &thread : threads) {
      REQUIRE(thread.stat);
      CHECK(thread.stat->times_run == thread.watch.schedstat()->times_run);
      CHECK(thread.stat->cpu_ns == thread.watch.schedstat()->cpu_ns);
      thread.blocked_at = thread.stat->times_run;
    }
    CHECK((threads[0].stat->times_run != first) == (which == 0));
    CHECK((threads[1].stat->times_run != second) == (which == 1));
  }
}

TEST_CASE("blocked threads are asked for only while CPU time of the process is not accounted for") {
  Workers workers;
  std::vector<TargetThread> threads = workers.threads();
  ThreadStats stats(workers.pid());
  stats.refresh(threads);
  // A watch that can tell nothing: to ask it is to lose what was known.
  threads[1].watch = ThreadWatch(workers.pid(), 0);
  stats.refresh(threads);
  CHECK(threads[1].stat);
  workers.wake(0);
  stats.refresh(threads);
  CHECK(threads[0].stat->times_run == threads[0].watch.schedstat()->times_run);
  CHECK(threads[1].stat);
  workers.wake(1);
  stats.refresh(threads);
  CHECK_FALSE(threads[1].stat);
}

TEST_CASE("a thread that is asked for at each tick does not make the others suspect") {
  Workers workers;
  std::vector<TargetThread> threads = workers.threads();
  threads[0].blocked_at = 0; // as of one that was running
  ThreadStats stats(workers.pid());
  stats.refresh(threads);
  threads[1].watch = ThreadWatch(workers.pid(), 0);
  workers.wake(0);
  stats.refresh(threads);
  CHECK(threads[0].stat->times_run == threads[0].watch.schedstat()->times_run);
  CHECK(threads[1].stat);
}

TEST_CASE("a thread with two thread states counts once, as the first of them") {
  Workers workers;
  std::vector<TargetThread> threads = workers.threads();
  std::swap(threads[0], threads[1]);
  TargetThread again;
  again.watch = ThreadWatch(workers.pid(), threads[0].watch.tid());
  again.stat = threads[0].stat;
  again.blocked_at = threads[0].blocked_at;
  again.shared = threads[0].shared = true;
  threads.push_back(std::move(again));
  ThreadStats stats(workers.pid());
  for (const int which : {0, 1, 1, 0, 1}) {
    stats.refresh(threads);
    workers.wake(which);
    stats.refresh(threads);
    for (const std::size_t place : {std::size_t{0}, std::size_t{1}}) {
      TargetThread &thread = threads[place];
      CHECK(thread.stat->times_run == thread.watch.schedstat()->times_run);
      thread.blocked_at = thread.stat->times_run;
    }
  }
}

TEST_CASE("the clock of a process that is gone tells nothing") {
  ThreadId pid = 0;
  {
    const Workers workers;
    pid = workers.pid();
    CHECK(ProcessClock(pid).now());
  }
  CHECK_FALSE(ProcessClock(pid).now());
}
