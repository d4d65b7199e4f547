#include "awaitscope/export/dump.hpp"

#include "awaitscope/support/text_width.hpp"
#include "catch.hpp"
#include "common.hpp"

using namespace awaitscope;

namespace {

struct ShownProcess {
  ShownProcess() {
    snapshot.pid = 41;
    snapshot.python = "3.13.0";
    snapshot.executable = "/usr/bin/python3.13";
    snapshot.command = {"python3", "app.py"};
  }

  void thread(ThreadId tid, ThreadState state, const std::vector<CodeId> &stack) {
    ThreadSnapshot one;
    one.tid = tid;
    one.name = "worker-" + std::to_string(tid);
    one.state = state;
    for (const CodeId code : stack) {
      one.frames.push_back({code, 12, FrameKind::python});
    }
    snapshot.threads.push_back(one);
  }

  std::string text(DumpLayout layout = {}) const {
    layout.import_paths = {"/srv/shop"};
    return dump_text(snapshot, codes, layout);
  }

  ProcessSnapshot snapshot;
  CodeTable codes;
  CodeId main = codes.add({"main", "/srv/shop/app.py", 1});
  CodeId wait = codes.add({"Condition.wait", "/usr/lib/python3.13/threading.py", 1});
};

} // namespace

TEST_CASE("idle threads with equal stacks are one entry; those that run or differ are not") {
  ShownProcess process;
  process.thread(1, ThreadState::running, {process.main});
  for (ThreadId tid = 2; tid < 15; ++tid) {
    process.thread(tid, ThreadState::idle, {process.main, process.wait});
  }
  process.thread(20, ThreadState::idle, {process.main});
  process.thread(21, ThreadState::running, {process.main});
  process.snapshot.threads[0].main = process.snapshot.threads[0].holds_gil = true;
  DumpLayout wide;
  wide.width = 300;
  const std::string text = process.text(wide);
  CHECK(has(text, "  GIL: held by thread 1 \"worker-1\"\n"));
  CHECK(has(text, "\nThread 1 \"worker-1\" (main): running, holds the GIL\n    main (app.py:12)\n"));
  CHECK(has(text, "\n13 threads 2 \"worker-2\", 3 \"worker-3\","));
  CHECK(has(text, " and 3 more: idle\n    Condition.wait (threading.py:12)\n    main (app.py:12)\n"));
  CHECK(has(text, "\nThread 20 \"worker-20\": idle\n"));
  CHECK(has(text, "\nThread 21 \"worker-21\": running\n"));
  CHECK_FALSE(has(text, "worker-12"));
}

TEST_CASE("what a thread waits in is named, and threads that differ in it are not grouped") {
  ShownProcess process;
  for (ThreadId tid = 1; tid < 5; ++tid) {
    process.thread(tid, ThreadState::blocked, {process.main});
  }
  process.snapshot.threads[0].system_call = process.snapshot.threads[1].system_call = "read";
  process.snapshot.threads[2].state = ThreadState::gil;
  process.snapshot.threads[2].system_call = "futex";
  const std::string text = process.text({});
  CHECK(has(text, "\n2 threads 1 \"worker-1\", 2 \"worker-2\": blocked in read\n"));
  CHECK(has(text, "\nThread 3 \"worker-3\": waits for the GIL\n"));
  CHECK(has(text, "\nThread 4 \"worker-4\": blocked\n"));
}

TEST_CASE("frames stand in the order, and with the paths, that were asked for") {
  ShownProcess process;
  process.thread(1, ThreadState::idle, {process.main, process.wait});
  CHECK(has(process.text(), "  GIL: free\n"));
  DumpLayout layout;
  layout.order = FrameOrder::outermost_first;
  CHECK(has(process.text(layout), "idle\n    main (app.py:12)\n    Condition.wait (threading.py:12)\n"));
  layout.files = FileNames::full;
  CHECK(has(process.text(layout), "    main (/srv/shop/app.py:12)\n"));
}

TEST_CASE("each line of a dump fits the width") {
  ShownProcess process;
  const CodeId deep = process.codes.add({std::string(90, 'f'), "/srv/other/" + std::string(90, 'd') + "/file.py", 1});
  process.thread(1, ThreadState::running, {process.main, deep});
  process.snapshot.command.emplace_back(300, 'x');
  for (const std::size_t width : {40U, 80U, 120U, 200U}) {
    DumpLayout layout;
    layout.width = width;
    const std::string text = process.text(layout);
    std::size_t begin = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      CHECK(text_width(text.substr(begin, end - begin)) <= width);
      begin = end + 1;
    }
    CHECK(has(text, "/file.py:12)"));
  }
}
