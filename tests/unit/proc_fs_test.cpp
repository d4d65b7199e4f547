#include "awaitscope/process/proc_fs.hpp"
#include "catch.hpp"

using namespace awaitscope;

TEST_CASE("maps: paths with spaces, deleted files, anonymous memory, broken lines") {
  const auto maps = parse_maps(
      "55d0c0a00000-55d0c0a01000 r-xp 00002000 fe:00 1234                       /opt/my python/bin/python3 (deleted)\n"
      "7f0000000000-7f0000021000 rw-p 00000000 00:00 0 \n"
      "not a line\n"
      "7ffd0-7ffd1 r--p zz 00:00 0 [stack]\n"
      "7ffe00000000-7ffe00001000 ---p 00000000 00:00 0 [vvar]");
  REQUIRE(maps.size() == 3);
  CHECK(maps[0].start == 0x55d0c0a00000);
  CHECK(maps[0].end == 0x55d0c0a01000);
  CHECK(maps[0].executable);
  CHECK_FALSE(maps[0].writable);
  CHECK(maps[0].file_offset == 0x2000);
  CHECK(maps[0].inode == 1234);
  CHECK(maps[0].path == "/opt/my python/bin/python3 (deleted)");
  CHECK(maps[1].path.empty());
  CHECK(maps[1].writable);
  CHECK_FALSE(maps[2].readable);
}

TEST_CASE("stat: the command may hold anything") {
  std::string text = "42 (a) R (b) S 1 2 3";
  for (int field = 7; field < 39; ++field) {
    text += " " + std::to_string(field);
  }
  const auto stat = parse_task_stat(text + " 5 0 0\n");
  REQUIRE(stat);
  CHECK(stat->command == "a) R (b");
  CHECK(stat->state == 'S');
  CHECK(stat->processor == 5);
  CHECK(stat->minor_faults == 10);
  CHECK(stat->major_faults == 12);
  CHECK_FALSE(parse_task_stat(""));
  CHECK_FALSE(parse_task_stat("42 (a"));
  CHECK_FALSE(parse_task_stat("42 (a)"));
}

TEST_CASE("schedstat and NSpid") {
  const auto stat = parse_schedstat("123456789 987 42\n");
  REQUIRE(stat);
  CHECK(stat->cpu_ns == 123456789);
  CHECK(stat->times_run == 42);
  CHECK_FALSE(parse_schedstat("1 2"));
  CHECK_FALSE(parse_schedstat("a b c"));
  CHECK(parse_innermost_pid("Name:\tx\nNSpid:\t4100\t7\nThreads:\t1\n") == 7);
  CHECK(parse_innermost_pid("NSpid:\t4100\n") == 4100);
  CHECK_FALSE(parse_innermost_pid("Name:\tx\n"));
}
