#include "awaitscope/process/image_identity.hpp"

#include <algorithm>
#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

#include "catch.hpp"

using namespace awaitscope;

namespace {

/// A forked child that says when it runs, then waits for a byte, then executes a program or ends.
class Forked {
public:
  explicit Forked(const char *program) {
    REQUIRE(::pipe(to_child_) == 0);
    REQUIRE(::pipe(to_parent_) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      char byte = 0;
      ::write(to_parent_[1], "r", 1);
      ::read(to_child_[0], &byte, 1);
      if (program != nullptr) {
        ::execlp(program, program, "30", nullptr);
      }
      ::_exit(0);
    }
    char byte = 0;
    REQUIRE(::read(to_parent_[0], &byte, 1) == 1);
  }
  ~Forked() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    for (const int fd : {to_child_[0], to_child_[1], to_parent_[0], to_parent_[1]}) {
      ::close(fd);
    }
  }
  Forked(const Forked &) = delete;
  Forked &operator=(const Forked &) = delete;

  void go_on() const { REQUIRE(::write(to_child_[1], "g", 1) == 1); }
  [[nodiscard]] ThreadId pid() const { return pid_; }

private:
  int to_child_[2] = {};
  int to_parent_[2] = {};
  pid_t pid_ = 0;
};

} // namespace

TEST_CASE("image identity: a fork is the same program in another process, exec another program in the same") {
  const auto own = image_identity(::getpid());
  REQUIRE(own);
  CHECK(own->start_code != 0);
  CHECK(own->executable.find("unit_tests") != std::string::npos);

  const Forked child("sleep");
  const auto before = image_identity(child.pid());
  REQUIRE(before);
  CHECK(before->start_code == own->start_code);
  CHECK(before->executable == own->executable);
  const auto children = children_of(::getpid());
  CHECK(std::find(children.begin(), children.end(), child.pid()) != children.end());

  child.go_on();
  auto after = image_identity(child.pid());
  for (int tries = 0; tries < 2000 && (after == before || (after && after->executing)); ++tries) {
    ::usleep(5000);
    after = image_identity(child.pid());
  }
  REQUIRE(after); // at no moment of the change was it taken for gone
  CHECK(after->start_code != 0);
  CHECK(after->start_time == before->start_time);
  CHECK(after->start_stack != before->start_stack);
  CHECK(after->executable.find("sleep") != std::string::npos);
}

TEST_CASE("image identity: what is known of a process is what a whole look says, until anything differs") {
  UniqueFd stat;
  const auto whole = image_identity(::getpid());
  REQUIRE(whole);
  CHECK(image_identity(::getpid(), *whole, stat) == whole);
  ImageIdentity other = *whole;
  other.executable = "/another/program";
  CHECK(image_identity(::getpid(), other, stat) == other); // not asked for
  other.start_stack += 16;
  CHECK(image_identity(::getpid(), other, stat) == whole);
  other = *whole;
  other.executing = true;
  CHECK(image_identity(::getpid(), other, stat) == whole);
}

TEST_CASE("image identity: a corpse is no process, nor is what was reaped") {
  ThreadId pid = 0;
  UniqueFd stat;
  std::optional<ImageIdentity> known;
  {
    const Forked child(nullptr);
    pid = child.pid();
    known = image_identity(pid);
    REQUIRE(known);
    CHECK(image_identity(pid, *known, stat) == known);
    child.go_on();
    siginfo_t info{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) == 0);
    CHECK_FALSE(image_identity(pid));
    CHECK_FALSE(image_identity(pid, *known, stat));
  }
  CHECK_FALSE(image_identity(pid));
  CHECK_FALSE(image_identity(pid, *known, stat));
  CHECK(children_of(pid).empty());
}

TEST_CASE("image identity: a process that executes a program is not one that ends") {
  const auto stat = [](const std::string &size, const std::string &code, const std::string &stack) {
    return "7 (a) b (c) R 1 7 7 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 4711 " + size + " 12 18446744073709551615 " +
           code + " 94000 " + stack + " 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n";
  };
  const auto runs = parse_image_identity(stat("8192", "93000", "140000"));
  REQUIRE(runs);
  CHECK_FALSE(runs->executing);
  CHECK(runs->start_time == 4711);
  CHECK(runs->start_code == 93000);
  CHECK(runs->start_stack == 140000);
  const auto changes = parse_image_identity(stat("135168", "0", "0"));
  REQUIRE(changes);
  CHECK(changes->executing);
  CHECK(changes->start_time == 4711);
  CHECK_FALSE(parse_image_identity(stat("0", "0", "0")));
  CHECK_FALSE(parse_image_identity("7 (sh) Z 1 7"));
  CHECK_FALSE(parse_image_identity(""));
}
