#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "awaitscope/export/snapshot_json.hpp"
#include "awaitscope/export/tasks.hpp"
#include "awaitscope/support/text.hpp"
#include "awaitscope/support/text_width.hpp"
#include "awaitscope/support/units.hpp"
#include "frame_path.hpp"
#include "task_facts.hpp"

namespace awaitscope {
namespace {

class TreeText {
public:
  TreeText(const ProcessSnapshot &snapshot, const CodeTable &codes, const TasksLayout &layout)
      : snapshot_(snapshot), codes_(codes), kinds_(codes), layout_(layout) {
    std::set<Address> loops;
    for (const TaskSnapshot &task : snapshot.tasks) {
      by_id_.emplace(task.id, &task);
      loops.insert(task.loop);
    }
    several_loops_ = loops.size() > 1;
  }

  /// Without recursion: a chain of tasks may be as long as the target likes.
  std::string write(const std::vector<TaskNode> &roots) {
    std::vector<Level> open;
    open.push_back({shown(roots), 0, ""});
    while (!open.empty()) {
      Level &level = open.back();
      if (level.next == level.nodes.size()) {
        open.pop_back();
        continue;
      }
      const TaskNode &node = *level.nodes[level.next++];
      const bool last = level.next == level.nodes.size();
      const bool root = open.size() == 1;
      line(node, begin_of(level.indent, root ? "" : last ? "└─ " : "├─ ", open.size() - 1), root);
      std::string indent = level.indent + (root ? "" : last ? "   " : "│  ");
      indent = indent.size() > k_longest_indent ? indent.substr(0, k_longest_indent) : std::move(indent);
      open.push_back({shown(node.children), 0, std::move(indent)});
    }
    return std::move(out_);
  }

private:
  static constexpr std::size_t k_longest_indent = 2000; // of what is kept; it is not drawn that far

  struct Level {
    std::vector<const TaskNode *> nodes;
    std::size_t next;
    std::string indent;
  };

  [[nodiscard]] std::vector<const TaskNode *> shown(const std::vector<TaskNode> &nodes) const {
    std::vector<const TaskNode *> some;
    for (const TaskNode &node : nodes) {
      if (layout_.done == DoneTasks::show || node.liveliest != TaskState::done) {
        some.push_back(&node);
      }
    }
    return some;
  }

  /// Deeper than a third of the width, the depth is a number.
  [[nodiscard]] std::string begin_of(const std::string &indent, std::string_view branch, std::size_t depth) const {
    return text_width(indent) + text_width(branch) <= layout_.width / 3
               ? indent + std::string(branch)
               : fmt::format("[{} deep] {}", with_thousands(depth), branch);
  }

  void line(const TaskNode &node, const std::string &begin, bool root) {
    constexpr std::size_t k_most_of_reason = 3; // a third of the width, and half of it for the name
    const TaskSnapshot &task = snapshot_.tasks[node.tasks.front()];
    std::string state = "  " + std::string(name_of(task.state));
    if (const std::optional<double> seconds = suspended_seconds(snapshot_, task); seconds && node.tasks.size() == 1) {
      state += fmt::format(" for {:.1f} s", *seconds);
    }
    std::string reason = reason_of(node, task);
    std::vector<Frame> frames = task.frames;
    const std::string leaf = leaf_of(task);
    if (!leaf.empty() && (reason == leaf || reason == name_of(kinds_.kind_of(frames)))) {
      frames.pop_back(); // the end of the line says it
    }
    reason = reason.empty() ? reason : "  ← " + reason;
    if (const std::optional<ThreadId> thread = thread_of(snapshot_, task); root && several_loops_ && thread) {
      reason += fmt::format("  [thread {}]", *thread);
    }
    reason = cut_end(reason, layout_.width / k_most_of_reason + 4);
    const std::string name =
        cut_end(begin + name_in_tree(node, task), layout_.width - text_width(state) - text_width(reason));
    const std::size_t used = text_width(name) + text_width(state) + text_width(reason) + 2; // ": "
    const std::string path =
        fitted_path(path_parts(frames, task.coroutine, codes_), layout_.width - std::min(layout_.width, used));
    out_ += name + state + (path.empty() ? "" : ": " + path) + reason + "\n";
  }

  [[nodiscard]] std::string name_in_tree(const TaskNode &node, const TaskSnapshot &task) const {
    const std::string name = one_line(codes_.at(task.coroutine).function);
    return node.tasks.size() > 1 ? fmt::format("{} × {}", name, with_thousands(node.tasks.size()))
                                 : fmt::format("{} \"{}\"", name, one_line(task.name));
  }

  /// What a task waits for, as far as it is known; empty if it does not wait.
  [[nodiscard]] std::string reason_of(const TaskNode &node, const TaskSnapshot &task) {
    if (node.closes_circle) {
      return "a task below it: a circle";
    }
    if (const std::optional<ThreadId> hop = hop_of(snapshot_, task)) {
      return fmt::format("thread {}", *hop);
    }
    if (!node.elsewhere.empty()) {
      const std::string more =
          node.elsewhere.size() > 1 ? fmt::format(" and {} more", with_thousands(node.elsewhere.size() - 1)) : "";
      return fmt::format("{}{}{}", node.children.empty() ? "" : "those below, ", named(node.elsewhere.front()), more);
    }
    if (task.state != TaskState::waiting) {
      return {};
    }
    if (const std::size_t below = awaited_below(snapshot_, node); below > 0) {
      return below == 1 ? "the task below" : fmt::format("{} tasks below", with_thousands(below));
    }
    if (const WaitKind kind = kinds_.kind_of(task.frames); kind != WaitKind::unknown) {
      return std::string(name_of(kind));
    }
    const std::string function = leaf_of(task);
    return function.empty() ? "a future" : function;
  }

  /// The function of a library that it is in, innermost; empty if it is in the program's own, or unknown.
  [[nodiscard]] std::string leaf_of(const TaskSnapshot &task) const {
    const bool known = !task.frames.empty() && is_named(task.frames.back().kind);
    return known ? library_function(codes_.at(task.frames.back().code)) : std::string();
  }

  [[nodiscard]] std::string named(Address id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? id_text(id)
                                 : fmt::format("{} \"{}\"", one_line(codes_.at(found->second->coroutine).function),
                                               one_line(found->second->name));
  }

  const ProcessSnapshot &snapshot_;
  const CodeTable &codes_;
  WaitKinds kinds_;
  TasksLayout layout_;
  std::unordered_map<Address, const TaskSnapshot *> by_id_;
  bool several_loops_ = false;
  std::string out_;
};

} // namespace

std::string tasks_text(const ProcessSnapshot &snapshot, const std::vector<TaskNode> &tree, const CodeTable &codes,
                       const TasksLayout &layout) {
  std::string head = fmt::format("Process {}: Python {}, {} tasks", snapshot.pid, snapshot.python,
                                 with_thousands(snapshot.tasks.size()));
  const auto counts = counts_of(snapshot);
  std::string_view separator = ": ";
  for (const TaskState state : k_task_states) {
    if (const std::size_t count = counts.at(static_cast<std::size_t>(state)); count > 0) {
      const bool hidden = state == TaskState::done && layout.done == DoneTasks::hide;
      head += fmt::format("{}{} {}{}", separator, with_thousands(count), name_of(state),
                          hidden ? " (--done shows them)" : "");
      separator = ", ";
    }
  }
  return wrapped(head, layout.width, 2) + TreeText(snapshot, codes, layout).write(tree);
}

} // namespace awaitscope
