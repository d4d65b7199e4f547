#include "awaitscope/capture/switch_capture.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <future>
#include <thread>

#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "awaitscope/capture/snapshot_memory.hpp"
#include "awaitscope/process/own_thread.hpp"
#include "awaitscope/process/thread_watch.hpp"
#include "awaitscope/support/clock.hpp"
#include "catch.hpp"

using namespace awaitscope;

namespace {

/// What the other process stores, in this order, again and again: at every time `last` is `first` or one less.
struct Counts {
  std::atomic<std::uint64_t> first;
  std::array<std::uint64_t, 100> between;
  std::atomic<std::uint64_t> last;
  /// A list that stays as it is.
  struct Record {
    std::uint64_t key;
    Record *next;
  };
  Record *root;
  std::array<Record, 3> records;
};

/// A process that counts, on this CPU only, in memory of its own that has the same address here.
class Counting {
public:
  explicit Counting(int cpu) {
    void *const memory = ::mmap(nullptr, sizeof(Counts), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED); // NOLINT: a macro of the C library
    counts_ = new (memory) Counts{};
    counts_->records = {{{1001, &counts_->records[1]}, {1002, &counts_->records[2]}, {1003, nullptr}}};
    counts_->root = counts_->records.data();
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      ::alarm(120);
      ::setpriority(PRIO_PROCESS, 0, -20); // on a busy machine the CPU would mostly be taken from something else
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
  [[nodiscard]] RecordList list() const {
    RecordList list;
    list.tid = pid_;
    list.root = reinterpret_cast<Address>(&counts_->root); // NOLINT: as below
    list.key = offsetof(Counts::Record, key);
    list.next = offsetof(Counts::Record, next);
    list.size = sizeof(Counts::Record);
    return list;
  }

private:
  static RemoteRange range(const std::atomic<std::uint64_t> &word) {
    return {reinterpret_cast<Address>(&word), sizeof word}; // NOLINT: an address of the other process
  }
  ThreadId pid_ = 0;
  Counts *counts_ = nullptr;
};

std::uint64_t word_of(const Copies &copies, std::size_t index) {
  std::uint64_t word = 0;
  REQUIRE(index < copies.failed.size());
  REQUIRE(copies.failed[index] == 0);
  std::memcpy(&word, copies.bytes + index * sizeof word, sizeof word);
  return word;
}

/// The word that is range `index`: as are all before it.
std::uint64_t copy(const SwitchCapture &switches, std::size_t index) { return word_of(switches.copies(), index); }

/// A thread of this process that goes before the other process as well, and sleeps but for the turns that it is given.
class Rival {
public:
  explicit Rival(int cpu)
      : thread_([this, cpu] {
          CpuPin pin;
          pin.move_to(cpu);
          PromptScheduling prompt;
          prompt.raise();
          ready_.set_value();
          for (std::uint64_t turn = 0; turn < k_last;) {
            if (::read(turns_.get(), &turn, sizeof turn) < 0) {
              return;
            }
          }
        }) {
    ready_.get_future().wait(); // before that it may be on any CPU, and behind anybody
  }
  Rival(const Rival &) = delete;
  Rival &operator=(const Rival &) = delete;
  ~Rival() {
    CHECK(give(k_last));
    thread_.join();
  }
  [[nodiscard]] bool give(std::uint64_t turn) const { return ::write(turns_.get(), &turn, sizeof turn) == sizeof turn; }

private:
  static constexpr std::uint64_t k_last = 1000;
  const UniqueFd turns_{::eventfd(0, EFD_CLOEXEC)};
  std::promise<void> ready_;
  std::thread thread_; // last: it uses those before
};

/// Sleeps until the CPU is taken from the other process.
SwitchCapture::Switch next_switch(const SwitchCapture &switches, std::uint64_t after) {
  for (int i = 0; i < 2000; ++i) {
    ::usleep(1000);
    const auto arrival = switches.last_switch();
    if (arrival && arrival->number > after) {
      return *arrival;
    }
  }
  FAIL("the CPU was never taken from it");
  return {};
}

/// None where the kernel does not permit it.
std::unique_ptr<SwitchCapture> open_for(ThreadId process) {
  Result<std::unique_ptr<SwitchCapture>> opened = SwitchCapture::open();
  if (!opened) {
    WARN(opened.error().what + ": not tested here");
    return nullptr;
  }
  (*opened)->follow(process, ::gettid());
  return std::move(*opened);
}

/// The test's thread on the CPU of the other process, ahead of it; and what the kernel copies. No `switches` where it may not.
struct Fixture {
  CpuPin pin;
  const int cpu = own_cpu();
  Counting other{cpu};
  std::unique_ptr<SwitchCapture> switches = open_for(other.pid());
  PromptScheduling prompt;

  Fixture() {
    pin.move_to(cpu);
    prompt.raise();
  }
};

} // namespace

TEST_CASE("memory is copied when the CPU is taken from its thread, and is of one time") {
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
    const SwitchCapture::Switch arrival = next_switch(switches, number);
    const std::uint64_t first = copy(switches, 0);
    const std::uint64_t last = copy(switches, 2);
    std::uint64_t now = 0;
    const ReadStatus read = memory.read(ranges[0].address, &now, sizeof now);
    const bool stood = switches.holds(arrival);
    CHECK(arrival.tid == fixture.other.pid());
    CHECK(arrival.runnable);
    CHECK(switches.copies().failed[1] != 0);
    CHECK((last == first || last + 1 == first));
    CHECK(first > before); // it has run since the switch before
    CHECK(read == ReadStatus::ok);
    CHECK((!stood || now == first));
    number = arrival.number;
    before = first;
    for (int wait = 0; wait < 2000 && switches.holds(arrival); ++wait) {
      ::usleep(1000); // until it has run: something else may come first
    }
    CHECK_FALSE(switches.holds(arrival));
  }
}

TEST_CASE("a switch no longer holds when the sampler leaves its CPU, even if the thread does not come to run") {
  const Fixture fixture;
  if (!fixture.switches) {
    return;
  }
  SwitchCapture &switches = *fixture.switches;
  switches.request(std::array{fixture.other.first()});
  ProcessMemory memory(fixture.other.pid());
  const Rival rival(fixture.cpu);
  int stood_still = 0;
  std::uint64_t number = 0;
  for (int i = 0; i < 20; ++i) {
    const SwitchCapture::Switch arrival = next_switch(switches, number);
    number = arrival.number;
    const std::uint64_t first = copy(switches, 0);
    REQUIRE(rival.give(1));
    ::sched_yield();
    std::uint64_t now = 0;
    REQUIRE(memory.read(fixture.other.first().address, &now, sizeof now) == ReadStatus::ok);
    stood_still += now == first ? 1 : 0;
    CHECK_FALSE(switches.holds(arrival));
  }
  CHECK(stood_still > 0);
}

TEST_CASE("a snapshot begins with what was copied, and fetches the rest") {
  const Fixture fixture;
  if (!fixture.switches) {
    return;
  }
  SwitchCapture &switches = *fixture.switches;
  ProcessMemory remote(fixture.other.pid());
  SnapshotMemory memory(remote);
  const Address first = fixture.other.first().address;
  const Address last = fixture.other.last().address;
  for (int reading = 0; reading < 3; ++reading) { // used so often that the next reading likely uses it
    memory.begin();
    REQUIRE(memory.get<std::uint64_t>(first));
  }
  switches.request(memory.expect());
  const SwitchCapture::Switch arrival = next_switch(switches, 0);
  const std::uint64_t first_word = copy(switches, 0);
  memory.begin(switches.copies());
  CHECK(memory.get<std::uint64_t>(first) == first_word);
  CHECK_FALSE(memory.read_more());
  CHECK(memory.get<std::uint64_t>(last)); // of the same block, but not of what readings have used
  CHECK(memory.read_more());
  const bool stood = switches.holds(arrival);
  CHECK((!stood || memory.get<std::uint64_t>(last).value_or(0) + 1 >= first_word));

  // Without a request in between, or a switch, a snapshot is as it always was.
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
  const std::unique_ptr<SwitchCapture> switches = open_for(pid);
  if (switches) {
    for (int i = 0; i < 200; ++i) {
      ::usleep(500);
      const auto arrival = switches->last_switch();
      CHECK((!arrival || arrival->tid == pid));
    }
    const std::unique_ptr<SwitchCapture> strangers = open_for(::getppid());
    ::usleep(20'000);
    REQUIRE(strangers);
    CHECK_FALSE(strangers->last_switch().has_value());
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

TEST_CASE("a thread that was not woken has the same count of wakings, and one that was has another") {
  const ThreadId pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::alarm(30);
    ::signal(SIGUSR1, [](int) {});
    while (true) {
      ::pause();
    }
  }
  if (const std::unique_ptr<SwitchCapture> switches = open_for(pid); switches && switches->wakings(pid)) {
    ThreadWatch watch(pid, pid);
    for (int i = 0; i < 20; ++i) {
      while (watch.run() != ThreadWatch::Run::blocked) {
        ::usleep(1000);
      }
      const auto before = switches->wakings(pid);
      ::usleep(5000);
      CHECK(switches->wakings(pid) == before);
      REQUIRE(::kill(pid, SIGUSR1) == 0);
      CHECK(switches->wakings(pid) != before);
      ::usleep(1000);
    }
  }
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

namespace {

/// Ticks 3 ms apart, from soon on.
std::array<std::int64_t, 3> soon() {
  const std::int64_t now = monotonic_ns();
  return {now + 3'000'000, now + 6'000'000, now + 9'000'000};
}

/// Arms ticks right after the CPU was taken from the other process: that takes a sleep, which something else may end.
std::array<std::int64_t, 3> arm(SwitchCapture &switches, std::span<const GuardedWord> guards) {
  ::usleep(2000);
  static_cast<void>(next_switch(switches, 0));
  const auto due = soon();
  switches.arm(due, guards);
  return due;
}

} // namespace

TEST_CASE("what is copied while the sampler sleeps is of one time too") {
  const Fixture fixture;
  if (!fixture.switches || !fixture.switches->can_arm()) {
    return;
  }
  SwitchCapture &switches = *fixture.switches;
  const std::array<RemoteRange, 2> ranges{fixture.other.first(), fixture.other.last()};
  constexpr std::array<std::uint64_t, 3> k_keys{1001, 1002, 1003};
  switches.request(ranges);
  switches.request(fixture.other.list());
  switches.add_keys(k_keys);
  std::uint64_t before = 0;
  std::size_t captured = 0;
  constexpr int k_most_series = 300; // on a busy machine most are taken by something else
  for (int i = 0; i < k_most_series && captured <= 10; ++i) {
    const auto due = arm(switches, {});
    const std::uint64_t ran_ns = switches.ran_ns();
    for (int waits = 0; waits < 100 && !switches.tick(2); ++waits) {
      switches.wait(due[2] + 1'000'000);
    }
    for (std::size_t k = 0; k < due.size(); ++k) {
      const auto tick = switches.tick(k);
      REQUIRE(tick);
      CHECK(tick->time_ns >= due[k]);
      if (!tick->captured) {
        continue; // something else ran there at that time
      }
      ++captured;
      const std::uint64_t first = word_of(tick->copies, 0);
      const std::uint64_t last = word_of(tick->copies, 1);
      CHECK((last == first || last + 1 == first));
      CHECK(first > before);
      CHECK(tick->ran_ns > ran_ns);
      CHECK(static_cast<std::int64_t>(tick->ran_ns - ran_ns) <= tick->time_ns - (due[0] - 3'000'000));
      REQUIRE(tick->copies.records.size() == 3);
      CHECK(tick->copies.records[0] + sizeof(Counts::Record) == tick->copies.records[1]);
      std::uint64_t key = 0;
      std::memcpy(&key, tick->copies.record_bytes + 2 * Copies::k_record_stride, sizeof key);
      CHECK(key == 1003);
      before = first;
    }
    switches.disarm();
  }
  CHECK(captured > 10);
}

TEST_CASE("the sampler is woken when what is copied may not be enough") {
  const Fixture fixture;
  if (!fixture.switches || !fixture.switches->can_arm()) {
    return;
  }
  SwitchCapture &switches = *fixture.switches;
  constexpr std::array<std::uint64_t, 2> k_some{1001, 1003};
  constexpr std::array<std::uint64_t, 1> k_rest{1002};
  const RecordList list = fixture.other.list();
  const std::array<GuardedWord, 1> same{
      GuardedWord{list.root, 0xFFF, (list.root + 8) & 0xFFF}}; // where the first record is
  const std::array<GuardedWord, 1> another{GuardedWord{list.root, 0xFFF, list.root & 0xFFF}};
  const auto needed = [&](std::span<const GuardedWord> guards) {
    std::size_t needs = 0;
    const auto due = arm(switches, guards);
    while (monotonic_ns() < due[2] + 1'000'000) {
      switches.wait(due[2] + 1'000'000);
    }
    for (std::size_t k = 0; k < due.size(); ++k) {
      const auto tick = switches.tick(k);
      needs += tick && !tick->captured ? 1U : 0U;
    }
    switches.disarm();
    return needs;
  };
  const auto least_needed = [&](std::span<const GuardedWord> guards) { // without what else runs on the CPU
    return std::min({needed(guards), needed(guards), needed(guards), needed(guards)});
  };
  const auto may_need_nothing = [&](std::span<const GuardedWord> guards) { // once nothing else runs there
    for (const std::int64_t end = monotonic_ns() + 20 * k_ns_per_second; monotonic_ns() < end;) {
      if (needed(guards) == 0) {
        return true;
      }
    }
    return false;
  };
  switches.request(list);
  switches.add_keys(k_some);
  CHECK(least_needed({}) == 3);
  switches.add_keys(k_rest);
  CHECK(may_need_nothing({}));
  CHECK(may_need_nothing(same));
  CHECK(least_needed(another) == 3);
  switches.clear_keys();
  CHECK(least_needed({}) == 3);
  RecordList endless = list;
  endless.next = endless.key = 0;
  endless.size = 8;
  endless.root = list.root + 8; // whose word is no pointer
  switches.request(endless);
  CHECK(least_needed({}) == 3);

  // It wakes up long before the time is over.
  switches.request(list);
  const auto due = arm(switches, another);
  const std::int64_t late = due[2] + 500'000'000;
  switches.wait(late);
  CHECK(monotonic_ns() < late - 400'000'000);
  CHECK(switches.tick(0).has_value());
}
