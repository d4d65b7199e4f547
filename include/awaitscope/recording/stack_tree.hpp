#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "awaitscope/model/stack.hpp"

namespace awaitscope {

/// A stack as one number: a node of a tree in which equal prefixes are stored once. Node 0 is the empty stack.
using StackId = std::uint32_t;

class StackTree {
public:
  StackTree();

  /// Ids are dense. A stack that shares its beginning with the last one costs only what differs.
  StackId intern(const std::vector<Frame> &frames);

  /// Adds a node as it was written: its parent must be one of those before it. A tree that is read is not interned into.
  void append(StackId parent, const Frame &frame) { nodes_.push_back({parent, frame}); }

  [[nodiscard]] StackId parent(StackId stack) const { return nodes_[stack].parent; }
  /// Of any stack but 0.
  [[nodiscard]] const Frame &leaf(StackId stack) const { return nodes_[stack].frame; }

  /// Root first.
  [[nodiscard]] std::vector<Frame> frames(StackId stack) const;

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }

private:
  struct Node {
    StackId parent = 0;
    Frame frame;
  };
  struct Edge {
    StackId parent = 0;
    Frame frame;
    bool operator==(const Edge &) const = default;
  };
  struct EdgeHash {
    std::size_t operator()(const Edge &edge) const;
  };

  std::vector<Node> nodes_;
  std::unordered_map<Edge, StackId, EdgeHash> children_;
  std::vector<Frame> last_;
  std::vector<StackId> last_path_;
};

} // namespace awaitscope
