#include "awaitscope/report/task_tree.hpp"

#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "awaitscope/export/tasks.hpp"
#include "awaitscope/support/text_width.hpp"
#include "catch.hpp"

using namespace awaitscope;

namespace {

constexpr Address k_first_task = 0x7f0000000000;

/// Tasks by number: number n has the id k_first_task + n and the name "t<n>", and waits in line n of its coroutine.
struct Graph {
  void task(std::size_t number, CodeId coroutine, const std::vector<std::size_t> &awaited_by = {}) {
    TaskSnapshot task;
    task.id = id(number);
    task.name = "t" + std::to_string(number);
    task.coroutine = coroutine;
    task.state = TaskState::waiting;
    for (const std::size_t waiter : awaited_by) {
      task.awaited_by.push_back(id(waiter));
    }
    task.frames.push_back({coroutine, 12, FrameKind::python});
    snapshot.tasks.push_back(std::move(task));
  }

  static Address id(std::size_t number) { return k_first_task + number; }

  std::size_t number(std::size_t index) const { return snapshot.tasks[index].id - k_first_task; }

  std::vector<TaskNode> tree(EqualTasks equal = EqualTasks::keep, const std::string &text = "") const {
    return task_tree(snapshot, codes, equal, text);
  }

  /// "1(2(3) 4)": numbers and what stands below them; several of equal shape are "5,6".
  std::string drawn(EqualTasks equal = EqualTasks::keep, const std::string &text = "") const {
    return drawn(tree(equal, text));
  }

  std::string drawn(const std::vector<TaskNode> &nodes) const {
    std::string out;
    for (const TaskNode &node : nodes) {
      out += out.empty() ? "" : " ";
      std::vector<std::size_t> numbers;
      for (const std::size_t index : node.tasks) {
        numbers.push_back(number(index));
      }
      std::sort(numbers.begin(), numbers.end());
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        out += (i == 0 ? "" : ",") + std::to_string(numbers[i]);
      }
      out += node.children.empty() ? "" : "(" + drawn(node.children) + ")";
    }
    return out;
  }

  std::string text(const std::vector<TaskNode> &tree) const {
    return tasks_text(snapshot, tree, codes, {200, DoneTasks::hide});
  }
  nlohmann::json json(const std::vector<TaskNode> &tree) const {
    return nlohmann::json::parse(tasks_json(snapshot, tree, codes));
  }

  ProcessSnapshot snapshot;
  CodeTable codes;
  CodeId serve = codes.add({"serve", "/srv/shop/app.py", 1});
  CodeId fetch = codes.add({"Client.fetch", "/srv/shop/client.py", 10});
  CodeId query = codes.add({"query", "/srv/shop/db.py", 4});
};

std::size_t count_of(const std::string &text, const std::string &part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

/// Every id of a JSON tree, in `id` or `also`, with how often it is there.
std::map<std::string, int> ids_of(const nlohmann::json &nodes) {
  std::map<std::string, int> ids;
  for (const auto &node : nodes) {
    ++ids[node["id"]];
    for (const auto &other : node["also"]) {
      ++ids[other];
    }
    for (const auto &[other, count] : ids_of(node["children"])) {
      ids[other] += count;
    }
  }
  return ids;
}

} // namespace

TEST_CASE("roots are the tasks that no task awaits; what they await stands below them") {
  Graph graph;
  graph.task(3, graph.query, {2});
  graph.task(1, graph.serve);
  graph.task(2, graph.fetch, {1});
  graph.task(4, graph.query, {1});
  graph.task(5, graph.serve, {99}); // its waiter is not in the snapshot any more
  CHECK(graph.drawn() == "1(2(3) 4) 5");
  CHECK(Graph().tree().empty());
  const std::string text = graph.text(graph.tree());
  CHECK(text.find("5 tasks: 5 waiting\n"
                  "serve \"t1\"  waiting: app.py:12  ← 2 tasks below\n"
                  "├─ Client.fetch \"t2\"  waiting: client.py:12  ← the task below\n"
                  "│  └─ query \"t3\"  waiting: db.py:12  ← a future\n"
                  "└─ query \"t4\"  waiting: db.py:12  ← a future\n"
                  "serve \"t5\"  waiting: app.py:12  ← a future\n") != std::string::npos);
}

TEST_CASE("a task that several await stands below the first, and the others name it") {
  Graph graph;
  graph.task(1, graph.serve);
  graph.task(2, graph.serve);
  graph.task(3, graph.serve);
  graph.task(4, graph.query, {2, 1, 3});
  CHECK(graph.drawn() == "1 2(4) 3");
  const std::vector<TaskNode> tree = graph.tree(EqualTasks::fold); // 1 and 3 look alike, but each shares a task
  CHECK(graph.drawn(tree) == "1 2(4) 3");
  CHECK(tree[0].elsewhere == std::vector<Address>{Graph::id(4)});
  CHECK(tree[1].elsewhere.empty());
  CHECK(tree[2].elsewhere == std::vector<Address>{Graph::id(4)});
  const std::string text = graph.text(tree);
  CHECK(count_of(text, "  ← query \"t4\"\n") == 2);
  const nlohmann::json json = graph.json(tree);
  CHECK(json["tasks"][0]["awaits_elsewhere"] == nlohmann::json({"0x7f0000000004"}));
  CHECK(json["tasks"][1]["children"][0]["awaited_by"].size() == 3);
}

TEST_CASE("tasks that await each other hang from the one with the lowest address, each once") {
  Graph two;
  two.task(2, two.fetch, {1});
  two.task(1, two.serve, {2});
  two.task(3, two.query, {2});
  std::vector<TaskNode> tree = two.tree();
  CHECK(two.drawn(tree) == "1(2(3))");
  CHECK(tree[0].closes_circle);
  CHECK_FALSE(tree[0].children[0].closes_circle);
  CHECK(tree[0].children[0].elsewhere == std::vector<Address>{Graph::id(1)});
  CHECK(count_of(two.text(tree), "  ← a task below it: a circle\n") == 1);
  CHECK(two.json(tree)["tasks"][0]["closes_circle"] == true);

  Graph three;
  three.task(3, three.serve, {2});
  three.task(2, three.serve, {1});
  three.task(1, three.serve, {3});
  three.task(5, three.fetch, {4});
  three.task(4, three.fetch, {5}); // another circle
  three.task(6, three.query, {3}); // hangs from the first
  tree = three.tree();
  CHECK(three.drawn(tree) == "4(5) 1(2(3(6)))");
  CHECK(tree[0].closes_circle);
  CHECK(tree[1].closes_circle);
  CHECK(three.drawn(EqualTasks::fold) == "4(5) 1(2(3(6)))");
}

TEST_CASE("a task that is said to await itself is a root of its own") {
  Graph graph;
  graph.task(1, graph.serve, {1});
  graph.task(2, graph.fetch, {2, 1});
  CHECK(graph.drawn() == "1(2)");
  CHECK_FALSE(graph.tree()[0].closes_circle);
}

TEST_CASE("siblings of equal shape fold, with their count; names do not count, all else does") {
  Graph graph;
  graph.task(0, graph.serve);
  for (std::size_t i = 1; i <= 1200; ++i) {
    graph.task(i, graph.fetch, {0});
  }
  graph.task(2000, graph.query, {0});
  graph.snapshot.tasks[7].frames[0].line = 13;                         // in another line
  graph.snapshot.tasks[8].state = TaskState::ready;                    // in another state
  graph.snapshot.tasks[9].frames.push_back({2, 1, FrameKind::python}); // deeper
  const std::vector<TaskNode> tree = graph.tree(EqualTasks::fold);
  REQUIRE(tree.size() == 1);
  REQUIRE(tree[0].children.size() == 5);
  CHECK(tree[0].children[0].liveliest == TaskState::ready); // first what is not waiting
  CHECK(tree[0].children[1].tasks.size() == 1197);          // then the largest group
  const std::string text = graph.text(tree);
  CHECK(text.find("├─ Client.fetch × 1,197  waiting: client.py:12  ← a future\n") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 7);
  const nlohmann::json json = graph.json(tree);
  CHECK(json["tasks"][0]["children"][1]["count"] == 1197);
  CHECK(json["states"] == nlohmann::json({{"running", 0}, {"ready", 1}, {"waiting", 1201}, {"done", 0}}));
  const std::map<std::string, int> ids = ids_of(json["tasks"]);
  CHECK(ids.size() == 1202);
  CHECK(std::all_of(ids.begin(), ids.end(), [](const auto &id) { return id.second == 1; }));

  const std::vector<TaskNode> full = graph.tree(EqualTasks::keep);
  CHECK(full[0].children.size() == 1201);
  CHECK(count_of(graph.text(full), "×") == 0);
}

TEST_CASE("trees of equal shape fold as a whole, in whatever order their names stand") {
  Graph graph;
  for (const std::size_t root : {10U, 20U, 30U, 40U}) {
    graph.task(root, graph.serve);
    // Two children of one function that are of different shapes; sorted by name, they stand in different orders.
    const bool turned = root == 20;
    graph.task(root + 1, graph.fetch, {root});
    graph.task(root + 2, graph.fetch, {root});
    graph.task(root + 3, graph.query, {turned ? root + 2 : root + 1});
  }
  graph.task(44, graph.query, {41}); // the fourth has one more
  const std::vector<TaskNode> tree = graph.tree(EqualTasks::fold);
  CHECK(graph.drawn(tree) == "10,20,30(11,22,31(13,23,33) 12,21,32) 40(41(43,44) 42)");
  const std::map<std::string, int> ids = ids_of(graph.json(tree)["tasks"]);
  CHECK(ids.size() == graph.snapshot.tasks.size());
  CHECK(std::all_of(ids.begin(), ids.end(), [](const auto &id) { return id.second == 1; }));
}

TEST_CASE("a text picks tasks by name, function and file, with all above and below them") {
  Graph graph;
  graph.task(1, graph.serve);
  graph.task(2, graph.fetch, {1});
  graph.task(3, graph.query, {2});
  graph.task(4, graph.query, {1});
  graph.task(50, graph.serve);
  CHECK(graph.drawn(EqualTasks::keep, "t2") == "1(2(3))");       // a name
  CHECK(graph.drawn(EqualTasks::keep, "Client.f") == "1(2(3))"); // a function
  CHECK(graph.drawn(EqualTasks::keep, "db.py") == "1(2(3) 4)");  // a file
  CHECK(graph.drawn(EqualTasks::keep, "t50") == "50");
  CHECK(graph.drawn(EqualTasks::keep, "t1") == "1(2(3) 4)");
  CHECK(graph.drawn(EqualTasks::fold, "absent").empty());
  graph.snapshot.tasks[4].frames.push_back(
      {0, 0, FrameKind::unreadable}); // code 0 is "serve"; that is not of this frame
  graph.snapshot.tasks[4].coroutine = graph.query;
  graph.snapshot.tasks[4].frames[0].code = graph.query;
  CHECK(graph.drawn(EqualTasks::keep, "serve") == "1(2(3) 4)");
}

TEST_CASE("a chain of 200,000 tasks ends without recursion") {
  Graph graph;
  for (std::size_t i = 0; i < 200'000; ++i) {
    graph.task(i, graph.fetch, i == 0 ? std::vector<std::size_t>{} : std::vector<std::size_t>{i - 1});
  }
  std::vector<TaskNode> tree = graph.tree();
  REQUIRE(tree.size() == 1);
  TaskNode moved = std::move(tree.front());
  tree.clear();
  REQUIRE(moved.children.size() == 1);
  moved = TaskNode();
  CHECK(moved.children.empty());
}

TEST_CASE("seconds suspended stand where they are known") {
  Graph graph;
  graph.task(1, graph.serve);
  graph.task(2, graph.fetch);
  graph.snapshot.taken_ns = 10'500'000'000;
  graph.snapshot.tasks[1].suspended_since_ns = 3'000'000'000;
  const std::vector<TaskNode> tree = graph.tree();
  CHECK(graph.text(tree).find("\"t2\"  waiting for 7.5 s: ") != std::string::npos);
  CHECK(graph.text(tree).find("\"t1\"  waiting: ") != std::string::npos);
  const nlohmann::json document = graph.json(tree);
  for (const nlohmann::json &node : document["tasks"]) {
    CHECK(node["suspended_s"] == (node["name"] == "t2" ? nlohmann::json(7.5) : nlohmann::json(nullptr)));
  }
}

TEST_CASE("a chain of 5,000 tasks, and two of them that are alike") {
  constexpr std::size_t k_deep = 5000;
  Graph graph;
  for (std::size_t i = 0; i < k_deep; ++i) {
    graph.task(i, graph.fetch, i == 0 ? std::vector<std::size_t>{} : std::vector<std::size_t>{i - 1});
  }
  const auto depth_of = [](const std::vector<TaskNode> &tree) {
    std::size_t depth = 0;
    for (const std::vector<TaskNode> *nodes = &tree; !nodes->empty(); nodes = &nodes->front().children) {
      ++depth;
    }
    return depth;
  };
  std::vector<TaskNode> tree = graph.tree();
  CHECK(depth_of(tree) == k_deep);
  const std::string text = graph.text(tree);
  CHECK(count_of(text, "\n") == k_deep + 1);
  CHECK(text.find("└─ Client.fetch \"t4999\"") != std::string::npos);
  CHECK(text.size() < k_deep * 250);
  const nlohmann::json json = graph.json(tree);
  std::size_t left_out = 0;
  const nlohmann::json *node = &json["tasks"][0];
  while (true) {
    left_out = (*node)["children_left_out"];
    if (left_out > 0) {
      break;
    }
    REQUIRE_FALSE((*node)["children"].empty());
    node = &(*node)["children"][0];
  }
  CHECK(left_out == k_deep - 201); // of 200 the children are there, and of the 201st they are all that is left
  CHECK(depth_of(graph.tree(EqualTasks::keep, "t2500")) == k_deep); // all of it is above or below

  for (std::size_t i = 0; i < k_deep; ++i) {
    graph.task(10'000 + i, graph.fetch, i == 0 ? std::vector<std::size_t>{} : std::vector<std::size_t>{9'999 + i});
  }
  tree = graph.tree(EqualTasks::fold);
  CHECK(tree.size() == 1);
  CHECK(depth_of(tree) == k_deep);
  CHECK(count_of(graph.text(tree), "Client.fetch × 2 ") == k_deep);
}

TEST_CASE("each line fits the width; what libraries do is one part of it") {
  Graph graph;
  const CodeId view =
      graph.codes.add({"django.view_of_orders", "/srv/venv/lib/python3.12/site-packages/django/views.py", 1});
  const CodeId cursor =
      graph.codes.add({"Cursor.execute", "/srv/venv/lib/python3.12/site-packages/psycopg/cursor.py", 1});
  const CodeId get = graph.codes.add({"Queue.get", "/usr/lib/python3.12/asyncio/queues.py", 1});
  graph.task(1, graph.serve);
  graph.snapshot.tasks[0].frames = {{graph.serve, 3, FrameKind::python}, {view, 4, FrameKind::python},
                                    {view, 5, FrameKind::python},        {cursor, 6, FrameKind::python},
                                    {graph.query, 7, FrameKind::python}, {get, 8, FrameKind::python}};
  const std::string text = graph.text(graph.tree());
  CHECK(text.find("waiting: app.py:3 → … 3 django, psycopg frames → query (db.py:7)  ← queue\n") != std::string::npos);
  const auto at_width = [&](std::size_t width) {
    return tasks_text(graph.snapshot, graph.tree(), graph.codes, {width, DoneTasks::hide});
  };
  CHECK(at_width(69).find(": app.py:3 → … → query (db.py:7)  ← ") != std::string::npos); // libraries give way first
  CHECK(at_width(53).find(": … → query (db.p") != std::string::npos);
  for (std::size_t i = 2; i < 60; ++i) { // a chain, deeper than there is room for
    graph.task(i, i % 2 == 0 ? graph.fetch : graph.query, {i - 1});
    graph.snapshot.tasks.back().name = std::string(3 * i, 'n');
  }
  for (const std::size_t width : {40U, 80U, 120U, 200U}) {
    const std::string narrow = tasks_text(graph.snapshot, graph.tree(), graph.codes, {width, DoneTasks::hide});
    std::size_t begin = 0;
    for (std::size_t end = narrow.find('\n'); end != std::string::npos; end = narrow.find('\n', begin)) {
      const std::string line = narrow.substr(begin, end - begin);
      INFO(line);
      CHECK(text_width(line) <= width);
      begin = end + 1;
    }
  }
}

TEST_CASE("running tasks come first, and done ones are hidden unless they are asked for") {
  Graph graph;
  graph.task(1, graph.serve);
  graph.task(2, graph.query);
  graph.task(3, graph.query);
  graph.task(4, graph.fetch);
  graph.snapshot.tasks[1].state = TaskState::done;
  graph.snapshot.tasks[3].state = TaskState::running;
  const std::vector<TaskNode> tree = graph.tree();
  CHECK(graph.drawn(tree) == "4 3 1 2");
  const std::string text = graph.text(tree);
  CHECK(text.find("4 tasks: 1 running, 2 waiting, 1 done (--done shows them)\n") != std::string::npos);
  CHECK(text.find("\"t2\"") == std::string::npos);
  const std::string all = tasks_text(graph.snapshot, tree, graph.codes, {80, DoneTasks::show});
  CHECK(all.find("\"t2\"  done") != std::string::npos);
  CHECK(all.find("--done") == std::string::npos);
}
