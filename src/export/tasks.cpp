#include "awaitscope/export/tasks.hpp"

#include <array>
#include <optional>

#include "awaitscope/export/snapshot_json.hpp"
#include "json_text.hpp"
#include "task_facts.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

/// The tasks of all nodes below this one.
std::size_t tasks_below(const TaskNode &node) {
  std::size_t count = 0;
  std::vector<const TaskNode *> open{&node};
  while (!open.empty()) {
    const TaskNode *at = open.back();
    open.pop_back();
    for (const TaskNode &child : at->children) {
      count += child.tasks.size();
      open.push_back(&child);
    }
  }
  return count;
}

/// Deeper than this, the tasks below a node are left out, and all of them counted: JSON readers recurse.
constexpr int k_deepest_task = 200;

Json node_json(const ProcessSnapshot &snapshot, const TaskNode &node, const CodeTable &codes, WaitKinds &kinds,
               int depth) {
  Json document = task_json(snapshot, snapshot.tasks[node.tasks.front()], codes);
  const std::optional<double> seconds = suspended_seconds(snapshot, snapshot.tasks[node.tasks.front()]);
  document["suspended_s"] = seconds && node.tasks.size() == 1 ? Json(*seconds) : Json(nullptr);
  const std::optional<WaitKind> wait = wait_of(snapshot, node, kinds);
  document["waits_for"] = wait ? Json(name_of(*wait)) : Json(nullptr);
  document["count"] = node.tasks.size();
  Json also = Json::array();
  for (std::size_t i = 1; i < node.tasks.size(); ++i) {
    also.push_back(id_text(snapshot.tasks[node.tasks[i]].id));
  }
  document["also"] = std::move(also);
  Json elsewhere = Json::array();
  for (const Address id : node.elsewhere) {
    elsewhere.push_back(id_text(id));
  }
  document["awaits_elsewhere"] = std::move(elsewhere);
  document["closes_circle"] = node.closes_circle;
  Json children = Json::array();
  for (const TaskNode &child : node.children) {
    if (depth < k_deepest_task) {
      children.push_back(node_json(snapshot, child, codes, kinds, depth + 1));
    }
  }
  document["children_left_out"] = depth < k_deepest_task ? 0 : tasks_below(node);
  document["children"] = std::move(children);
  return document;
}

} // namespace

std::string tasks_json(const ProcessSnapshot &snapshot, const std::vector<TaskNode> &tree, const CodeTable &codes) {
  Json counts = Json::object();
  const std::array<std::size_t, 4> found = counts_of(snapshot);
  for (const TaskState state : k_task_states) {
    counts[std::string(name_of(state))] = found[static_cast<std::size_t>(state)];
  }
  WaitKinds kinds(codes);
  JsonWriter out;
  out.member("schema", 1);
  out.member("process", process_json(snapshot));
  out.member("states", counts);
  out.list("tasks", tree, [&](const TaskNode &node) { return node_json(snapshot, node, codes, kinds, 0); });
  return out.finish();
}

} // namespace awaitscope
