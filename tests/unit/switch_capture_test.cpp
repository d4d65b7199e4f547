#include "awaitscope/process/switch_capture.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>

#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "awaitscope/process/own_thread.hpp"
#include "awaitscope/process/snapshot_memory.hpp"
#include "catch.hpp"

using namespace awaitscope;

namespace {

/// What the other process stores, in this order, again and again: at every moment `last` is `first` or one less.
struct Counts {
  std::atomic<std::uint64_t> first;
  std::array<std::uint64_t, 100> between;
  std::atomic<std::uint64_t> last;
};

/// A process that counts, on this CPU only, in memory of its own that has the same address here.
class Counting {
public:
  explicit Counting(int cpu) {
    void *const memory = ::mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED); // NOLINT: a macro of the C library
    counts_ = new (memory) Counts{};
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::alarm(30);
      CpuPin pin;
      pin.move_to(cpu);
      for (std::uint64_t count = 1;; ++count) {
        counts_->first.store(count);
        counts_->last.store(count);
      }
    }
  }
  Counting(const Counting &) = delete;
  Counting &operator=(const Counting &) = delete;
  ~Counting() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    ::munmap(counts_, sizeof(Counts));
  }
  [[nodiscard]] ThreadId pid() const { return pid_; }
  [[nodiscard]] RemoteRange first() const { return range(counts_->first); }
  [[nodiscard]] RemoteRange last() const { return range(counts_->last); }

private:
  static RemoteRange range(const std::atomic<std::uint64_t> &word) {
    return {reinterpret_cast<Address>(&word), sizeof word}; // NOLINT: an address of the other process
  }
  ThreadId pid_ = 0;
  Counts *counts_ = nullptr;
};

std::uint64_t copy(const SwitchCapture &switches, std::size_t index) {
  std::uint64_t word = 0;
  REQUIRE(switches.copied(index));
  std::memcpy(&word, switches.copies() + index * SwitchCapture::k_longest, sizeof word);
  return word;
}

/// Sleeps until the CPU is taken from the other process.
SwitchCapture::Moment next_moment(const SwitchCapture &switches, std::uint64_t after) {
  for (int i = 0; i < 2000; ++i) {
    ::usleep(1000);
    const auto moment = switches.moment();
    if (moment && moment->number > after) {
      return *moment;
    }
  }
  FAIL("the CPU was never taken from it");
  return {};
}

/// The test's thread on the CPU of the other process, ahead of it; and what the kernel copies. No `switches` where it may not.
struct Fixture {
  CpuPin pin;
  const int cpu = own_cpu();
  Counting other{cpu};
  std::unique_ptr<SwitchCapture> switches = SwitchCapture::open(other.pid(), ::gettid());
  PromptScheduling prompt;

  Fixture() {
    pin.move_to(cpu);
    if (!switches) {
      WARN("the kernel does not permit it: not tested here");
    }
  }
};

} // namespace

TEST_CASE("memory is copied when the CPU is taken from its thread, and is that of one moment") {
  const Fixture fixture;
  if (!fixture.switches) {
    return;
  }
  SwitchCapture &switches = *fixture.switches;
  const RemoteRange nowhere{8, 8};
  const std::array<RemoteRange, 3> ranges{fixture.other.first(), nowhere, fixture.other.last()};
  switches.request(ranges);
  ProcessMemory memory(fixture.other.pid());
  std::uint64_t number = 0;
  std::uint64_t before = 0;
  for (int i = 0; i < 50; ++i) {
    const SwitchCapture::Moment moment = next_moment(switches, number);
    const std::uint64_t first = copy(switches, 0);
    const std::uint64_t last = copy(switches, 2);
    std::uint64_t now = 0;
    const ReadStatus read = memory.read(ranges[0].address, &now, sizeof now);
    const bool stood = switches.stands(moment);
    CHECK(moment.tid == fixture.other.pid());
    CHECK(moment.runnable);
    CHECK_FALSE(switches.copied(1));
    CHECK((last == first || last + 1 == first));
    CHECK(first > before); // it has run since the moment before
    CHECK(read == ReadStatus::ok);
    CHECK((!stood || now == first));
    number = moment.number;
    before = first;
    for (int wait = 0; wait < 2000 && switches.stands(moment); ++wait) {
      ::usleep(1000); // until it has run: something else may come first
    }
    CHECK_FALSE(switches.stands(moment));
  }
}

TEST_CASE("a look begins with what was copied, and fetches the rest") {
  const Fixture fixture;
  if (!fixture.switches) {
    return;
  }
  SwitchCapture &switches = *fixture.switches;
  ProcessMemory remote(fixture.other.pid());
  SnapshotMemory memory(remote);
  const Address first = fixture.other.first().address;
  const Address last = fixture.other.last().address;
  for (int look = 0; look < 3; ++look) { // used so often that the next look likely uses it
    memory.begin();
    REQUIRE(memory.get<std::uint64_t>(first));
  }
  memory.request(switches);
  const SwitchCapture::Moment moment = next_moment(switches, 0);
  memory.begin(switches);
  CHECK(memory.get<std::uint64_t>(first) == copy(switches, 0));
  CHECK_FALSE(memory.read_more());
  CHECK(memory.get<std::uint64_t>(last)); // of the same block, but not of what looks have used
  CHECK(memory.read_more());
  const bool stood = switches.stands(moment);
  CHECK((!stood || memory.get<std::uint64_t>(last).value_or(0) + 1 >= copy(switches, 0)));

  // Without a request in between, or a moment, a look is as it always was.
  memory.begin();
  CHECK(memory.get<std::uint64_t>(first));
}

TEST_CASE("a thread that waits is not runnable, and another process is nobody") {
  const CpuPin pin;
  const ThreadId pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::alarm(30);
    while (true) {
      ::usleep(100);
    }
  }
  const std::unique_ptr<SwitchCapture> switches = SwitchCapture::open(pid, ::gettid());
  if (switches) {
    for (int i = 0; i < 200; ++i) {
      ::usleep(500);
      const auto moment = switches->moment();
      CHECK((!moment || moment->tid == pid));
    }
    const std::unique_ptr<SwitchCapture> strangers = SwitchCapture::open(::getppid(), ::gettid());
    ::usleep(20'000);
    REQUIRE(strangers);
    CHECK_FALSE(strangers->moment().has_value());
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}
