#include "awaitscope/process/thread_stop.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <new>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <linux/futex.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "awaitscope/process/proc_fs.hpp"
#include "catch.hpp"

using namespace awaitscope;
using namespace std::chrono_literals;

namespace {

constexpr StopLimits k_limits{5s, 20s}; // of a loaded machine
constexpr int k_threads = 6;

/// What a forked child shows of itself.
struct Shown {
  std::atomic<std::uint64_t> steps{0};
  std::atomic<std::uint64_t> failed_calls{0};
  std::atomic<int> signals{0};
  std::atomic<bool> over{false};
};

/// A child process, killed at the end.
class ForkedTarget {
public:
  explicit ForkedTarget(const std::function<void(Shown &)> &body)
      : shown_(new (::mmap(nullptr, sizeof(Shown), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)) Shown),
        pid_(::fork()) {
    if (pid_ == 0) {
      body(*shown_);
      ::_exit(0);
    }
  }
  ~ForkedTarget() {
    kill_and_reap();
    ::munmap(shown_, sizeof(Shown));
  }
  ForkedTarget(const ForkedTarget &) = delete;
  ForkedTarget &operator=(const ForkedTarget &) = delete;

  [[nodiscard]] ThreadId pid() const { return pid_; }
  [[nodiscard]] Shown &shown() const { return *shown_; }

  void kill_and_reap() {
    if (!reaped_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
      reaped_ = true;
    }
  }

private:
  Shown *shown_;
  pid_t pid_;
  bool reaped_ = false;
};

template <typename Condition> bool comes_true(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + 20s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) {
      return false;
    }
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

bool goes_on(const Shown &shown) {
  const std::uint64_t before = shown.steps;
  return comes_true([&] { return shown.steps > before; });
}

bool stands_still(const Shown &shown) {
  const std::uint64_t before = shown.steps;
  std::this_thread::sleep_for(20ms);
  return shown.steps == before;
}

char state_of(ThreadId pid, ThreadId tid) {
  const std::string text = read_file(fmt::format("/proc/{}/task/{}/stat", pid, tid)).value_or("");
  return parse_task_stat(text).value_or(TaskStat{}).state;
}

bool none_stopped(ThreadId pid) {
  const std::vector<ThreadId> tids = list_ids(fmt::format("/proc/{}/task", pid));
  return std::none_of(tids.begin(), tids.end(), [&](ThreadId tid) {
    const char state = state_of(pid, tid);
    return state == 't' || state == 'T';
  });
}

void compute(Shown &shown) {
  while (true) {
    ++shown.steps;
  }
}

/// Threads that compute, and others that come and go.
void compute_in_threads(Shown &shown) {
  std::vector<std::thread> threads;
  threads.reserve(k_threads);
  for (int i = 0; i < k_threads; ++i) {
    threads.emplace_back([&shown] { compute(shown); });
  }
  while (true) {
    std::thread([&shown] { ++shown.steps; }).join();
  }
}

void stop_and_let_go(Tracer &tracer, ThreadId pid) { REQUIRE(ThreadStop::stop(tracer, pid, pid, k_limits)); }

} // namespace

TEST_CASE("a thread stands still while it is stopped, and goes on") {
  const ForkedTarget child(compute);
  REQUIRE(goes_on(child.shown()));
  Tracer tracer;
  for (int i = 0; i < 3; ++i) {
    auto stop = ThreadStop::stop(tracer, child.pid(), child.pid(), k_limits);
    REQUIRE(stop);
    CHECK(stands_still(child.shown()));
    REQUIRE(stop->registers());
    CHECK(stop->registers()->rip != 0);
    const ThreadStop moved = std::move(*stop);
    CHECK(stands_still(child.shown()));
  }
  CHECK(goes_on(child.shown()));
}

TEST_CASE("system calls that a stop interrupts go on") {
  // Each waits for 30 ms in another way: ERESTART_RESTARTBLOCK, ERESTARTNOHAND and ERESTARTSYS of the kernel.
  const ForkedTarget child([](Shown &shown) {
    constexpr long k_wait_ns = 30'000'000;
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) {
      return;
    }
    const timespec length{0, k_wait_ns};
    const int events = ::epoll_create1(0);
    int word = 0;
    while (true) {
      pollfd readable{ends[0], POLLIN, 0};
      timeval of_select{0, k_wait_ns / 1000};
      shown.failed_calls += ::clock_nanosleep(CLOCK_MONOTONIC, 0, &length, nullptr) != 0 ? 1 : 0;
      shown.failed_calls += ::poll(&readable, 1, 30) != 0 ? 1 : 0;
      shown.failed_calls += ::select(0, nullptr, nullptr, nullptr, &of_select) != 0 ? 1 : 0;
      shown.failed_calls += ::ppoll(&readable, 1, &length, nullptr) != 0 ? 1 : 0;
      const long woken = ::syscall(SYS_futex, &word, FUTEX_WAIT, 0, &length, nullptr, 0);
      shown.failed_calls += woken != -1 || errno != ETIMEDOUT ? 1 : 0;
      // One of the few that the kernel does not restart (signal(7)).
      epoll_event event{};
      shown.failed_calls += ::epoll_wait(events, &event, 1, 30) != 0 && errno != EINTR ? 1 : 0;
      ++shown.steps;
    }
  });
  Tracer tracer;
  while (child.shown().steps < 5) {
    stop_and_let_go(tracer, child.pid());
    std::this_thread::sleep_for(3ms);
  }
  CHECK(child.shown().failed_calls == 0);
}

TEST_CASE("a signal that comes while a thread is stopped, or as it stops, is delivered once") {
  static Shown *shown_by_handler = nullptr;
  const ForkedTarget child([](Shown &shown) {
    shown_by_handler = &shown;
    struct sigaction action {};
    action.sa_handler = [](int) { ++shown_by_handler->signals; };
    ::sigaction(SIGRTMIN, &action, nullptr);
    compute(shown);
  });
  REQUIRE(goes_on(child.shown()));
  Tracer tracer;
  constexpr int k_signals = 300;
  std::atomic<bool> sent{false};
  std::thread sender([&] { // queued: each of them counts
    for (int i = 0; i < k_signals; ++i) {
      ::sigqueue(child.pid(), SIGRTMIN, {});
      std::this_thread::sleep_for(100us);
    }
    sent = true;
  });
  while (!sent) {
    stop_and_let_go(tracer, child.pid());
  }
  sender.join();
  {
    const auto stop = ThreadStop::stop(tracer, child.pid(), child.pid(), k_limits);
    REQUIRE(stop);
    ::sigqueue(child.pid(), SIGRTMIN, {});
  }
  CHECK(comes_true([&] { return child.shown().signals >= k_signals + 1; }));
  CHECK(goes_on(child.shown()));
  CHECK(child.shown().signals == k_signals + 1);
}

TEST_CASE("what job control has stopped stays stopped until SIGCONT") {
  const ForkedTarget child(compute_in_threads);
  REQUIRE(goes_on(child.shown()));
  ::kill(child.pid(), SIGSTOP);
  REQUIRE(::waitpid(child.pid(), nullptr, WUNTRACED) == child.pid());
  Tracer tracer;
  for (int i = 0; i < 5; ++i) {
    stop_and_let_go(tracer, child.pid());
    REQUIRE(ProcessStop::stop(tracer, child.pid(), k_limits));
  }
  CHECK(comes_true([&] { return state_of(child.pid(), child.pid()) == 'T'; }));
  CHECK(stands_still(child.shown()));
  ::kill(child.pid(), SIGCONT);
  CHECK(goes_on(child.shown()));
}

TEST_CASE("a SIGSTOP that comes while a process is stopped holds afterwards") {
  const ForkedTarget child(compute_in_threads);
  REQUIRE(goes_on(child.shown()));
  Tracer tracer;
  {
    const auto stop = ProcessStop::stop(tracer, child.pid(), k_limits);
    REQUIRE(stop);
    ::kill(child.pid(), SIGSTOP);
  }
  CHECK(comes_true([&] { return state_of(child.pid(), child.pid()) == 'T'; }));
  CHECK(comes_true([&] { return stands_still(child.shown()); }));
  ::kill(child.pid(), SIGCONT);
  CHECK(goes_on(child.shown()));
}

TEST_CASE("a thread that waits for the child of vfork(2) is not stopped, nor afterwards") {
  const ForkedTarget child([](Shown &shown) {
    const pid_t pid = ::vfork(); // NOLINT: uninterruptible for as long as its child has not ended
    if (pid == 0) {
      while (!shown.over) { // NOLINT(clang-analyzer-unix.Vfork): an atomic in shared memory
      }
      ::_exit(0);
    }
    compute(shown);
  });
  REQUIRE(comes_true([&] { return state_of(child.pid(), child.pid()) == 'D'; }));
  Tracer tracer;
  const auto stop = ThreadStop::stop(tracer, child.pid(), child.pid(), {20ms, 20s});
  REQUIRE_FALSE(stop);
  CHECK(stop.error().reason == StopFailure::Reason::late);
  {
    const auto whole = ProcessStop::stop(tracer, child.pid(), k_limits); // it executes nothing in user mode
    REQUIRE(whole);
    child.shown().over = true;
    CHECK(stands_still(child.shown()));
  }
  CHECK(goes_on(child.shown()));
}

TEST_CASE("who traces a process already is named") {
  const ForkedTarget child(compute);
  const ForkedTarget other([&](Shown &shown) {
    shown.over = ::ptrace(PTRACE_SEIZE, child.pid(), nullptr, nullptr) == 0;
    ::pause();
  });
  REQUIRE(comes_true([&] { return other.shown().over.load(); }));
  Tracer tracer;
  const auto stop = ThreadStop::stop(tracer, child.pid(), child.pid(), k_limits);
  REQUIRE_FALSE(stop);
  CHECK(stop.error().reason == StopFailure::Reason::traced);
  CHECK(stop.error().tracer == other.pid());
  const auto whole = ProcessStop::stop(tracer, child.pid(), k_limits);
  REQUIRE_FALSE(whole);
  CHECK(whole.error().reason == StopFailure::Reason::traced);
  const std::string what = cannot_stop(child.pid(), whole.error()).what;
  CHECK(what.find(fmt::format("unit_tests (PID {})", other.pid())) != std::string::npos);
  CHECK(goes_on(child.shown()));
}

TEST_CASE("a process that has ended, and a thread of another one") {
  ForkedTarget child(compute);
  const ForkedTarget other(compute);
  Tracer tracer;
  const auto of_another = ThreadStop::stop(tracer, child.pid(), other.pid(), k_limits);
  REQUIRE_FALSE(of_another);
  CHECK(of_another.error().reason == StopFailure::Reason::ended);
  CHECK(goes_on(other.shown()));
  child.kill_and_reap();
  const auto gone = ThreadStop::stop(tracer, child.pid(), child.pid(), k_limits);
  REQUIRE_FALSE(gone);
  CHECK(gone.error().reason == StopFailure::Reason::ended);
  const auto whole = ProcessStop::stop(tracer, child.pid(), k_limits);
  REQUIRE_FALSE(whole);
  CHECK(whole.error().reason == StopFailure::Reason::ended);
}

TEST_CASE("a process that is killed while it is stopped ends, and its parent is told") {
  ForkedTarget child(compute_in_threads);
  REQUIRE(goes_on(child.shown()));
  Tracer tracer;
  {
    const auto stop = ProcessStop::stop(tracer, child.pid(), k_limits);
    REQUIRE(stop);
    ::kill(child.pid(), SIGKILL);
  }
  siginfo_t info{};
  CHECK(comes_true([&] {
    return ::waitid(P_PID, static_cast<id_t>(child.pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_code == CLD_KILLED;
  }));
}

TEST_CASE("all threads of a process stand still, also those that are born meanwhile") {
  const ForkedTarget child(compute_in_threads);
  // The first of them go on before the last of them are born.
  REQUIRE(comes_true([&] { return list_ids(fmt::format("/proc/{}/task", child.pid())).size() > k_threads; }));
  REQUIRE(goes_on(child.shown()));
  Tracer tracer;
  for (int i = 0; i < 20; ++i) {
    auto stop = ProcessStop::stop(tracer, child.pid(), k_limits);
    REQUIRE(stop);
    CHECK(stop->threads() >= k_threads);
    const std::uint64_t before = child.shown().steps;
    std::this_thread::sleep_for(1ms);
    CHECK(child.shown().steps == before);
    CHECK(stop->registers(child.pid()));
    const auto stopped = stop->release();
    REQUIRE(stopped);
    CHECK(*stopped >= 1ms);
  }
  CHECK(comes_true([&] { return none_stopped(child.pid()); }));
  CHECK(goes_on(child.shown()));
}

TEST_CASE("a stop ends by itself when it has lasted too long") {
  const ForkedTarget child(compute_in_threads);
  REQUIRE(goes_on(child.shown()));
  Tracer tracer;
  auto whole = ProcessStop::stop(tracer, child.pid(), {5s, 30ms});
  REQUIRE(whole);
  CHECK(goes_on(child.shown()));
  CHECK_FALSE(whole->release());
  auto one = ThreadStop::stop(tracer, child.pid(), child.pid(), {5s, 30ms});
  REQUIRE(one);
  CHECK(comes_true([&] { return none_stopped(child.pid()); }));
  CHECK_FALSE(one->release());
}

TEST_CASE("no thread stays stopped when the process that stops them is killed") {
  const ForkedTarget child(compute_in_threads);
  REQUIRE(goes_on(child.shown()));
  std::mt19937 random(20261130); // NOLINT: the same moments each time
  std::uniform_int_distribution<int> moment_us(0, 4000);
  for (int i = 0; i < 120; ++i) {
    ForkedTarget recorder([&](Shown &shown) {
      Tracer tracer;
      while (true) {
        ++shown.steps;
        { const auto whole = ProcessStop::stop(tracer, child.pid(), k_limits); }
        const auto one = ThreadStop::stop(tracer, child.pid(), child.pid(), k_limits);
      }
    });
    REQUIRE(comes_true([&] { return recorder.shown().steps > 0; }));
    std::this_thread::sleep_for(std::chrono::microseconds(moment_us(random)));
    recorder.kill_and_reap();
    REQUIRE(comes_true([&] { return none_stopped(child.pid()); }));
  }
  CHECK(goes_on(child.shown()));
}
