#include <algorithm>
#include <set>

#include "awaitscope/export/folded.hpp"
#include "awaitscope/integrations/thread_names.hpp"
#include "awaitscope/report/profile.hpp"
#include "awaitscope/sampler/pacer.hpp"
#include "awaitscope/stitch/stitch.hpp"
#include "catch.hpp"

using namespace awaitscope;

namespace {

Frame frame_of(CodeId code) { return {code, static_cast<std::int32_t>(code), FrameKind::python}; }

} // namespace

TEST_CASE("a running task's stack stands under those that await it, root first") {
  Lineage lineage; // leaf first
  lineage.segments.push_back({{frame_of(3), frame_of(4)}, true, 3, false, {}});
  lineage.segments.push_back({{frame_of(5), frame_of(6)}, true, 5, false, {}});
  lineage.segments.push_back({{{1, 1, FrameKind::loop}, {2, 2, FrameKind::loop}}, false, 0, false, {}});
  LogicalStack logical;
  stitch(lineage, logical);
  CHECK(logical.in_task);
  const std::vector<Frame> expected{{1, 1, FrameKind::loop},
                                    {2, 2, FrameKind::loop},
                                    {5, 0, FrameKind::task_border},
                                    frame_of(5),
                                    frame_of(6),
                                    {3, 0, FrameKind::task_border},
                                    frame_of(3),
                                    frame_of(4)};
  CHECK(logical.frames == expected);
}

TEST_CASE("under a thread, the stack is the thread's") {
  Lineage lineage;
  lineage.segments.push_back({{frame_of(1), frame_of(2)}, false, 0, false, {}});
  lineage.root_thread = 0x1000;
  LogicalStack logical;
  logical.frames.push_back(frame_of(9)); // of an earlier one
  stitch(lineage, logical);
  CHECK_FALSE(logical.in_task);
  CHECK(logical.frames == std::vector<Frame>{frame_of(1), frame_of(2)});
  lineage.clear();
  stitch(lineage, logical);
  CHECK_FALSE(logical.in_task);
  CHECK(logical.frames.empty());
}

TEST_CASE("what could not be read is said in its place") {
  Lineage lineage;
  lineage.segments.push_back({{frame_of(3)}, true, 3, true, {}});
  LogicalStack logical;
  stitch(lineage, logical);
  REQUIRE(logical.frames.size() == 3);
  CHECK(logical.frames.front().kind == FrameKind::unreadable);
}

TEST_CASE("equal stacks are one number, different ones are not") {
  StackTree tree;
  const std::vector<Frame> a{frame_of(1), frame_of(2), frame_of(3)};
  const std::vector<Frame> b{frame_of(1), frame_of(2), frame_of(4)};
  const StackId first = tree.intern(a);
  CHECK(tree.intern(b) != first);
  CHECK(tree.intern(a) == first);
  CHECK(tree.frames(first) == a);
  CHECK(tree.intern({}) == 0);
  CHECK(tree.intern(b) == tree.intern(b));
  CHECK(tree.size() == 5); // 1, 2, 3, 4 and the empty one
}

TEST_CASE("threads fold by name, not by the number that a library gave") {
  CodeTable codes;
  const std::vector<Frame> nothing;
  const auto lasting = [&](const std::string &name) { return lasting_thread_name(name, codes, nothing); };
  CHECK(lasting("ThreadPoolExecutor-301_0") == "ThreadPoolExecutor");
  CHECK(lasting("InterpreterPoolExecutor-0_12") == "InterpreterPoolExecutor");
  CHECK(lasting("asyncio_12") == "asyncio");
  CHECK(lasting("Thread-7 (poll)") == "Thread (poll)");
  CHECK(lasting("Thread-7") == "Thread");
  CHECK(lasting("Dummy-12") == "Dummy");
  CHECK(lasting("waitress-3") == "waitress");
  CHECK(lasting("uWSGIWorker1Core12") == "uWSGIWorker");
  for (const char *given : {"MainThread", "worker-3", "Thread-", "Thread-x", "Thread-7b", "ThreadPoolExecutor-3",
                            "db_0", "asyncio_", "my Thread-1", "uWSGIWorker1", "AnyIO worker thread", ""}) {
    CHECK(lasting(given) == given);
  }
}

TEST_CASE("a pool numbers its threads behind the name that the program gave it") {
  CodeTable codes;
  const CodeId worker = codes.add({"_worker", "/usr/lib/python3.13/concurrent/futures/thread.py", 70});
  const CodeId namesake = codes.add({"_worker", "/srv/app/thread.py", 7});
  const auto lasting = [&](const char *name, CodeId below) {
    return lasting_thread_name(name, codes, {{below, 0, FrameKind::python}});
  };
  CHECK(lasting("db_0", worker) == "db");
  CHECK(lasting("shard_7_12", worker) == "shard_7");
  CHECK(lasting("db_0", namesake) == "db_0");
  for (const char *given : {"db", "_0", "0", "db_", "db-0"}) {
    CHECK(lasting(given, worker) == given);
  }
}

TEST_CASE("file names as one would import them") {
  const std::vector<std::string> paths{"", "/srv/app", "/srv/app/vendor/", "/usr/lib/python3.11"};
  CHECK(importable_path("/srv/app/site/views.py", paths) == "site/views.py");
  CHECK(importable_path("/srv/app/vendor/a/b.py", paths) == "a/b.py");
  CHECK(importable_path("/srv/application/x.py", paths) == "/srv/application/x.py");
  CHECK(importable_path("/v/lib/python3.12/site-packages/django/core/asgi.py", paths) == "django/core/asgi.py");
  CHECK(importable_path("/v/lib/python3.12/json/decoder.py", paths) == "json/decoder.py");
  CHECK(importable_path("<frozen importlib._bootstrap>", paths) == "<frozen importlib._bootstrap>");
  CHECK(importable_path("", paths).empty());
}

TEST_CASE("the longest folder that holds a file is the one to import it from") {
  const std::vector<std::string> paths{"/srv", "/srv/app", "/srv/app/lib/python3.12/site-packages/odf.egg", "/"};
  CHECK(importable_path("/srv/app/shop/views.py", paths) == "shop/views.py");
  CHECK(importable_path("/srv/other/views.py", paths) == "other/views.py");
  CHECK(importable_path("/srv/app/.venv/lib/python3.12/site-packages/django/urls.py", paths) == "django/urls.py");
  CHECK(importable_path("/srv/app/.venv/lib/python3.12/json/decoder.py", paths) == "json/decoder.py");
  CHECK(importable_path("/srv/app/lib/python3.12/site-packages/odf.egg/odf/text.py", paths) == "odf/text.py");
  CHECK(importable_path("/srv/app/lib/python-tools/x.py", paths) == "lib/python-tools/x.py");
  CHECK(importable_path("/etc/hooks/x.py", paths) == "/etc/hooks/x.py");
}

TEST_CASE("the pacer keeps the rate, never bunches up, and counts what it missed") {
  Pacer pacer(0, 1000, 7);
  std::int64_t now = 0;
  std::set<std::int64_t> periods;
  for (int i = 0; i < 1000; ++i) {
    const Pacer::Tick tick = pacer.next(now);
    REQUIRE(tick.missed == 0);
    REQUIRE(periods.insert(tick.due_ns / 1'000'000).second); // one for each period
    now = std::max(now, tick.due_ns);
  }
  CHECK(now >= 999'000'000);
  CHECK(now < 1'000'000'000);
  const Pacer::Tick late = pacer.next(now + 50'000'000);
  CHECK(late.missed >= 49);
  CHECK(late.missed <= 50);
  CHECK(late.due_ns / 1'000'000 >= 1049);
}
