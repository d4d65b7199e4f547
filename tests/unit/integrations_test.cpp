#include "awaitscope/integrations/impure_names.hpp"
#include "awaitscope/integrations/rules.hpp"
#include "catch.hpp"

using namespace awaitscope;

TEST_CASE("a function of a library is known by its name and the end of its file") {
  const FunctionRule *rule = function_rule("WorkerThread.run", "/site/anyio/_backends/_asyncio.py", Names::qualified);
  REQUIRE(rule != nullptr);
  CHECK(rule->role == FunctionRole::work_item);
  CHECK(rule->holder.name == "future");
  CHECK(function_rule("WorkerThread.run", "/app/worker.py", Names::qualified) == nullptr);
  CHECK(function_rule("run", "/site/anyio/_backends/_asyncio.py", Names::qualified) == nullptr);
  CHECK(function_rule("Worker.run", "/site/anyio/_backends/_asyncio.py", Names::qualified) == nullptr);
}

TEST_CASE("before 3.11 a code object has only the last part of a function's name") {
  const FunctionRule *rule = function_rule("run", "/lib/concurrent/futures/thread.py", Names::last_part);
  REQUIRE(rule != nullptr);
  CHECK(rule->role == FunctionRole::work_item);
  CHECK(rule->holder.attribute == "future");
  // asyncio.run(main): there is no Runner yet.
  const FunctionRule *run = function_rule("run", "/lib/asyncio/runners.py", Names::last_part);
  REQUIRE(run != nullptr);
  CHECK(run->holder.kind == Holder::Kind::argument);
}

TEST_CASE("a done-callback leads to a future, a queue or a group") {
  const CallbackRule *group = callback_rule("TaskGroup._on_task_done", "/lib/asyncio/taskgroups.py");
  REQUIRE(group != nullptr);
  CHECK(group->leads == CallbackRule::Leads::group);
  CHECK(group->owner[0] == "_parent_task");
  const CallbackRule *of_anyio =
      callback_rule("TaskGroup._spawn.<locals>.task_done", "/site/anyio/_backends/_asyncio.py");
  REQUIRE(of_anyio != nullptr);
  CHECK(of_anyio->cell == "self");
  CHECK(callback_rule("gather.<locals>._done_callback", "/app/tasks.py") == nullptr);
}

TEST_CASE("the coroutine that drives a greenlet is known in each version of SQLAlchemy") {
  for (const char *file : {"/site/sqlalchemy/util/concurrency.py", "/site/sqlalchemy/util/_concurrency_py3k.py"}) {
    const FunctionRule *rule = function_rule("greenlet_spawn", file, Names::qualified);
    REQUIRE(rule != nullptr);
    CHECK(rule->role == FunctionRole::drives_greenlet);
    CHECK(rule->holder.name == "context");
  }
  CHECK(function_rule("greenlet_spawn", "/app/spawn.py", Names::qualified) == nullptr);
}

TEST_CASE("what has an effect is known under another name of its module too") {
  for (const std::string_view name :
       {"dt.datetime.now", "timezone.now", "Order.objects.filter", "Order.objects", "os.environ.get",
        ".refresh_from_db", "rng.choice", "COUNTS.update", "setattr", "TABLE.__setitem__", "_operator.setitem",
        "LISTS[].append", "eval", "gc.get_objects", "redis.client.Redis.get"}) {
    INFO(name);
    CHECK_FALSE(effect_of_name(name).empty());
  }
  for (const std::string_view name : {"operator.add", "_operator.add", "time.tzname", "os.path.join", "math.floor",
                                      "settings.objects_per_page", ".nowhere", "now_of"}) {
    INFO(name);
    CHECK(effect_of_name(name).empty());
  }
}
