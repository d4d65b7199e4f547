#include "awaitscope/export/tasks.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include <fmt/format.h>

#include "awaitscope/export/snapshot_json.hpp"
#include "awaitscope/support/text.hpp"
#include "awaitscope/support/units.hpp"
#include "json_text.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

std::array<std::size_t, 4> counts_of(const ProcessSnapshot &snapshot) {
  std::array<std::size_t, 4> counts{};
  for (const TaskSnapshot &task : snapshot.tasks) {
    ++counts[static_cast<std::size_t>(task.state)];
  }
  return counts;
}

/// How long the task has been suspended, where its coroutine tells (TaskReader).
std::optional<double> suspended_seconds(const ProcessSnapshot &snapshot, const TaskSnapshot &task) {
  if (!task.suspended_since_ns || *task.suspended_since_ns > snapshot.taken_ns) {
    return std::nullopt;
  }
  return static_cast<double>(snapshot.taken_ns - *task.suspended_since_ns) / 1e9;
}

constexpr std::array k_states{TaskState::running, TaskState::ready, TaskState::waiting, TaskState::done};

/// "a:6 → b:5 → leaf (tenk.py:2)": the executing lines, and the file where it changes.
std::string path_of(const TaskSnapshot &task, const CodeTable &codes) {
  std::string path;
  std::string_view file;
  for (const Frame &frame : task.frames) {
    path += path.empty() ? "" : " → ";
    if (frame.kind == FrameKind::unreadable) {
      path += "[unreadable]";
      continue;
    }
    const CodeInfo &code = codes.at(frame.code);
    const std::string line = frame.line > 0 ? std::to_string(frame.line) : "?";
    const std::size_t slash = code.file.rfind('/');
    path += code.file == file
                ? fmt::format("{}:{}", one_line(code.function), line)
                : fmt::format("{} ({}:{})", one_line(code.function),
                              one_line(code.file.substr(slash == std::string::npos ? 0 : slash + 1)), line);
    file = code.file;
  }
  return path;
}

class TreeText {
public:
  TreeText(const ProcessSnapshot &snapshot, const CodeTable &codes) : snapshot_(snapshot), codes_(codes) {
    for (const TaskSnapshot &task : snapshot.tasks) {
      by_id_.emplace(task.id, &task);
    }
  }

  /// Without recursion: a chain of tasks may be as long as the target likes.
  std::string write(const std::vector<TaskNode> &roots) {
    std::vector<Level> open;
    for (const TaskNode &root : roots) {
      line(root, "", "");
      open.push_back({&root.children, 0, ""});
      while (!open.empty()) {
        Level &level = open.back();
        if (level.next == level.nodes->size()) {
          open.pop_back();
          continue;
        }
        const TaskNode &node = (*level.nodes)[level.next++];
        const bool last = level.next == level.nodes->size();
        line(node, level.indent, last ? "└─ " : "├─ ");
        const std::string indent = shorter(level.indent + (last ? "   " : "│  "));
        open.push_back({&node.children, 0, indent});
      }
    }
    return std::move(out_);
  }

private:
  struct Level {
    const std::vector<TaskNode> *nodes;
    std::size_t next;
    std::string indent;
  };

  /// Beyond any width that anybody reads, depth is not drawn any more.
  static std::string shorter(const std::string &indent) {
    constexpr std::size_t k_widest = 400;
    return indent.size() > k_widest ? std::string(k_widest, ' ') : indent;
  }

  void line(const TaskNode &node, const std::string &indent, std::string_view branch) {
    const TaskSnapshot &task = snapshot_.tasks[node.tasks.front()];
    out_ += fmt::format("{}{}{}", indent, branch, one_line(codes_.at(task.coroutine).function));
    if (node.tasks.size() > 1) {
      out_ += fmt::format(" × {}", with_thousands(node.tasks.size()));
    } else {
      out_ += fmt::format(" \"{}\"", one_line(task.name));
    }
    out_ += fmt::format("  {}", name_of(task.state));
    if (const std::optional<double> seconds = suspended_seconds(snapshot_, task); seconds && node.tasks.size() == 1) {
      out_ += fmt::format(" for {:.1f} s", *seconds);
    }
    if (const std::string path = path_of(task, codes_); !path.empty()) {
      out_ += ": " + path;
    }
    const std::optional<ThreadId> thread = thread_of(snapshot_, task);
    if (branch.empty() && thread) {
      out_ += fmt::format("  [thread {}]", *thread);
    }
    if (const std::optional<ThreadId> hop = hop_of(snapshot_, task)) {
      out_ += fmt::format("  [thread {} works for it]", *hop);
    }
    constexpr std::size_t k_most_named = 100;
    for (std::size_t i = 0; i < std::min(node.elsewhere.size(), k_most_named); ++i) {
      out_ += fmt::format("{}{}", i == 0 ? "  [awaits also " : ", ", named(node.elsewhere[i]));
    }
    if (node.elsewhere.size() > k_most_named) {
      out_ += fmt::format(" and {} more", with_thousands(node.elsewhere.size() - k_most_named));
    }
    out_ += node.elsewhere.empty() ? "" : "]";
    out_ += node.closes_circle ? "  [in a circle: awaited by a task below it]\n" : "\n";
  }

  std::string named(Address id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? id_text(id)
                                 : fmt::format("{} \"{}\"", one_line(codes_.at(found->second->coroutine).function),
                                               one_line(found->second->name));
  }

  const ProcessSnapshot &snapshot_;
  const CodeTable &codes_;
  std::unordered_map<Address, const TaskSnapshot *> by_id_;
  std::string out_;
};

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
constexpr int k_deepest = 200;

Json node_json(const ProcessSnapshot &snapshot, const TaskNode &node, const CodeTable &codes, int depth) {
  Json document = task_json(snapshot, snapshot.tasks[node.tasks.front()], codes);
  const std::optional<double> seconds = suspended_seconds(snapshot, snapshot.tasks[node.tasks.front()]);
  document["suspended_s"] = seconds && node.tasks.size() == 1 ? Json(*seconds) : Json(nullptr);
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
    if (depth < k_deepest) {
      children.push_back(node_json(snapshot, child, codes, depth + 1));
    }
  }
  document["children_left_out"] = depth < k_deepest ? 0 : tasks_below(node);
  document["children"] = std::move(children);
  return document;
}

} // namespace

std::string tasks_text(const ProcessSnapshot &snapshot, const std::vector<TaskNode> &tree, const CodeTable &codes) {
  std::string out = fmt::format("Process {}: Python {}, {} tasks", snapshot.pid, snapshot.python,
                                with_thousands(snapshot.tasks.size()));
  const std::array<std::size_t, 4> counts = counts_of(snapshot);
  std::string_view separator = ": ";
  for (const TaskState state : k_states) {
    if (const std::size_t count = counts[static_cast<std::size_t>(state)]; count > 0) {
      out += fmt::format("{}{} {}", separator, with_thousands(count), name_of(state));
      separator = ", ";
    }
  }
  return out + "\n" + TreeText(snapshot, codes).write(tree);
}

std::string tasks_json(const ProcessSnapshot &snapshot, const std::vector<TaskNode> &tree, const CodeTable &codes) {
  Json counts = Json::object();
  const std::array<std::size_t, 4> found = counts_of(snapshot);
  for (const TaskState state : k_states) {
    counts[std::string(name_of(state))] = found[static_cast<std::size_t>(state)];
  }
  JsonWriter out;
  out.member("schema", 1);
  out.member("process", process_json(snapshot));
  out.member("states", counts);
  out.list("tasks", tree, [&](const TaskNode &node) { return node_json(snapshot, node, codes, 0); });
  return out.finish();
}

} // namespace awaitscope
