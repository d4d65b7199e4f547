#include "awaitscope/report/task_tree.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace awaitscope {
namespace {

constexpr std::size_t k_none = SIZE_MAX;

/// Builds the tree without recursion into the target's data: parents first, then nodes from the leaves up.
class TreeBuilder {
public:
  TreeBuilder(const ProcessSnapshot &snapshot, const CodeTable &codes, EqualTasks equal)
      : tasks_(snapshot.tasks), codes_(codes), equal_(equal), parent_(tasks_.size(), k_none), children_(tasks_.size()),
        closes_(tasks_.size(), false), elsewhere_(tasks_.size()) {}

  std::vector<TaskNode> build(const std::string &text) {
    choose_parents();
    cut_circles();
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (parent_[i] != k_none) {
        children_[parent_[i]].push_back(i);
      }
    }
    const std::vector<bool> kept = matching(text);
    std::vector<std::pair<std::size_t, TaskNode>> roots; // shape, node
    shapes_of_nodes(kept, roots);
    return fold(std::move(roots));
  }

private:
  void choose_parents() {
    std::unordered_map<Address, std::size_t> index;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      index.emplace(tasks_[i].id, i);
    }
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      for (const Address waiter : tasks_[i].awaited_by) {
        const auto found = index.find(waiter);
        if (found == index.end() || found->second == i) {
          continue;
        }
        if (parent_[i] == k_none) {
          parent_[i] = found->second;
        } else {
          elsewhere_[found->second].push_back(tasks_[i].id);
        }
      }
    }
  }

  /// A task whose parents lead back to itself becomes a root; that with the lowest address, of each circle.
  void cut_circles() {
    std::vector<std::size_t> seen_in(tasks_.size(), k_none);
    for (std::size_t start = 0; start < tasks_.size(); ++start) {
      std::size_t at = start;
      while (at != k_none && seen_in[at] == k_none) {
        seen_in[at] = start;
        at = parent_[at];
      }
      if (at == k_none || seen_in[at] != start) {
        continue;
      }
      std::size_t lowest = at;
      for (std::size_t other = parent_[at]; other != at; other = parent_[other]) {
        lowest = tasks_[other].id < tasks_[lowest].id ? other : lowest;
      }
      elsewhere_[parent_[lowest]].push_back(tasks_[lowest].id);
      closes_[lowest] = true;
      parent_[lowest] = k_none;
    }
  }

  [[nodiscard]] bool has_text(const TaskSnapshot &task, const std::string &text) const {
    const auto in = [&](const std::string &name) { return name.find(text) != std::string::npos; };
    return in(task.name) || in(codes_.at(task.coroutine).function) ||
           std::any_of(task.frames.begin(), task.frames.end(), [&](const Frame &frame) {
             return is_named(frame.kind) && (in(codes_.at(frame.code).function) || in(codes_.at(frame.code).file));
           });
  }

  std::vector<bool> matching(const std::string &text) const {
    if (text.empty()) {
      return std::vector<bool>(tasks_.size(), true);
    }
    std::vector<bool> kept(tasks_.size(), false);
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (!has_text(tasks_[i], text)) {
        continue;
      }
      for (std::size_t up = i; up != k_none && !kept[up]; up = parent_[up]) {
        kept[up] = true;
      }
      std::vector<std::size_t> below = children_[i];
      while (!below.empty()) {
        const std::size_t at = below.back();
        below.pop_back();
        kept[at] = true;
        below.insert(below.end(), children_[at].begin(), children_[at].end());
      }
    }
    return kept;
  }

  /// The tasks such that children come before their parents.
  std::vector<std::size_t> leaves_first() const {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (parent_[i] == k_none) {
        order.push_back(i);
      }
    }
    for (std::size_t at = 0; at < order.size(); ++at) {
      order.insert(order.end(), children_[order[at]].begin(), children_[order[at]].end());
    }
    std::reverse(order.begin(), order.end());
    return order;
  }

  void shapes_of_nodes(const std::vector<bool> &kept, std::vector<std::pair<std::size_t, TaskNode>> &roots) {
    std::vector<std::vector<std::pair<std::size_t, TaskNode>>> below(tasks_.size());
    for (const std::size_t i : leaves_first()) {
      if (!kept[i]) {
        continue;
      }
      TaskNode node;
      node.tasks = {i};
      node.elsewhere = elsewhere_[i];
      node.closes_circle = closes_[i];
      std::vector<std::size_t> shape{tasks_[i].coroutine, static_cast<std::size_t>(tasks_[i].state),
                                     closes_[i] ? 1U : 0U, tasks_[i].owner_elsewhere ? 1U : 0U,
                                     tasks_[i].frames.size()};
      for (const Frame &frame : tasks_[i].frames) {
        shape.push_back(frame.code);
        shape.push_back(static_cast<std::size_t>(frame.line));
      }
      node.children = fold(std::move(below[i]));
      node.liveliest = tasks_[i].state;
      for (const TaskNode &child : node.children) {
        node.liveliest = std::min(node.liveliest, child.liveliest);
      }
      std::vector<std::pair<std::size_t, std::size_t>> below_it; // sorted: their own order goes by names
      for (const TaskNode &child : node.children) {
        below_it.emplace_back(shape_of_task_.at(child.tasks.front()), child.tasks.size());
      }
      std::sort(below_it.begin(), below_it.end());
      for (const auto &[child, count] : below_it) {
        shape.push_back(child);
        shape.push_back(count);
      }
      shape.push_back(elsewhere_[i].empty() ? 0 : i + 1); // what it shares with another is its own
      const std::size_t number = shapes_.emplace(std::move(shape), shapes_.size()).first->second;
      shape_of_task_[i] = number;
      (parent_[i] == k_none ? roots : below[parent_[i]]).emplace_back(number, std::move(node));
    }
  }

  /// Of equal shape, so each child has its like. Without recursion.
  void merge(TaskNode &into, TaskNode &&node) const {
    std::vector<std::pair<TaskNode *, TaskNode>> open;
    open.emplace_back(&into, std::move(node));
    while (!open.empty()) {
      auto [to, from] = std::move(open.back());
      open.pop_back();
      to->tasks.insert(to->tasks.end(), from.tasks.begin(), from.tasks.end());
      std::unordered_map<std::size_t, TaskNode *> like;
      for (TaskNode &child : to->children) {
        like.emplace(shape_of_task_.at(child.tasks.front()), &child);
      }
      for (TaskNode &child : from.children) {
        open.emplace_back(like.at(shape_of_task_.at(child.tasks.front())), std::move(child));
      }
    }
  }

  std::vector<TaskNode> fold(std::vector<std::pair<std::size_t, TaskNode>> &&nodes) const {
    std::map<std::size_t, std::size_t> place; // shape: index into folded
    std::vector<TaskNode> folded;
    for (auto &[shape, node] : nodes) {
      const auto [known, fresh] = place.try_emplace(shape, folded.size());
      if (fresh || equal_ == EqualTasks::keep) {
        folded.push_back(std::move(node));
      } else {
        merge(folded[known->second], std::move(node));
      }
    }
    const auto key = [&](const TaskNode &node) {
      const TaskSnapshot &task = tasks_[node.tasks.front()];
      return std::tuple(node.liveliest, -static_cast<std::int64_t>(node.tasks.size()),
                        std::string_view(codes_.at(task.coroutine).function), std::string_view(task.name), task.id);
    };
    std::sort(folded.begin(), folded.end(), [&](const TaskNode &a, const TaskNode &b) { return key(a) < key(b); });
    return folded;
  }

  const std::vector<TaskSnapshot> &tasks_;
  const CodeTable &codes_;
  EqualTasks equal_;
  std::vector<std::size_t> parent_;
  std::vector<std::vector<std::size_t>> children_;
  std::vector<bool> closes_;
  std::vector<std::vector<Address>> elsewhere_;
  std::map<std::vector<std::size_t>, std::size_t> shapes_;
  std::unordered_map<std::size_t, std::size_t> shape_of_task_;
};

} // namespace

TaskNode::~TaskNode() {
  std::vector<TaskNode> open = std::move(children);
  while (!open.empty()) {
    std::vector<TaskNode> below = std::move(open.back().children);
    open.pop_back();
    std::move(below.begin(), below.end(), std::back_inserter(open));
  }
}

std::vector<TaskNode> task_tree(const ProcessSnapshot &snapshot, const CodeTable &codes, EqualTasks equal,
                                const std::string &text) {
  return TreeBuilder(snapshot, codes, equal).build(text);
}

} // namespace awaitscope
