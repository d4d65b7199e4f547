#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "awaitscope/model/stack.hpp"

namespace awaitscope {

/// A stack as one number: a node of a tree in which equal prefixes are stored once. Node 0 is the empty stack. Depth and size are
/// bounded (limits.hpp).
using StackId = std::uint32_t;

class StackTree {
public:
  StackTree();

  /// Ids are dense. A stack that shares its beginning with the last one costs only what differs. One for which there is no room
  /// is a single unreadable frame. `frames` is of limits::k_max_depth at most.
  StackId intern(const std::vector<Frame> &frames);

  /// Adds a node as it was written: its parent must be one of those before it. A tree that is read is not interned into. False if
  /// the node is beyond what a recording may hold.
  bool append(StackId parent, const Frame &frame);

  [[nodiscard]] StackId parent(StackId stack) const { return nodes_[stack].parent; }
  /// Of any stack but 0.
  [[nodiscard]] const Frame &leaf(StackId stack) const { return nodes_[stack].frame; }

  /// How many frames it has.
  [[nodiscard]] std::size_t depth(StackId stack) const { return nodes_[stack].depth; }

  /// Root first.
  [[nodiscard]] std::vector<Frame> frames(StackId stack) const;

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }

private:
  struct Node {
    StackId parent = 0;
    Frame frame;
    std::uint16_t depth = 0;
  };

  StackId &slot_of(StackId parent, const Frame &frame);
  void make_room();

  std::deque<Node> nodes_;       // grows without a copy
  std::vector<StackId> slots_{}; ///< a hash table of the nodes that were interned, by parent and frame; 0: empty
  std::vector<Frame> last_;
  std::vector<StackId> last_path_;
};

} // namespace awaitscope
