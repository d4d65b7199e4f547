#include "awaitscope/recording/stack_tree.hpp"

#include <algorithm>

#include "awaitscope/model/limits.hpp"

namespace awaitscope {

namespace {

std::size_t hash_of(StackId parent, const Frame &frame) {
  constexpr std::uint64_t k_mix = 0x9E3779B97F4A7C15ULL;
  std::uint64_t hash = parent * k_mix;
  hash = (hash ^ frame.code) * k_mix;
  hash = (hash ^ static_cast<std::uint32_t>(frame.line)) * k_mix;
  hash = (hash ^ static_cast<std::uint64_t>(frame.kind)) * k_mix;
  return hash ^ (hash >> 32U);
}

} // namespace

StackTree::StackTree() : nodes_(1) {}

/// Where the number of that node is, or is to be. There is an empty slot (make_room()).
StackId &StackTree::slot_of(StackId parent, const Frame &frame) {
  std::size_t at = hash_of(parent, frame) & (slots_.size() - 1);
  while (slots_[at] != 0 && (nodes_[slots_[at]].parent != parent || !(nodes_[slots_[at]].frame == frame))) {
    at = (at + 1) & (slots_.size() - 1);
  }
  return slots_[at];
}

/// For one node more: at most half of the slots are taken.
void StackTree::make_room() {
  constexpr std::size_t k_first = 1024;
  if (nodes_.size() * 2 < slots_.size()) {
    return;
  }
  slots_.assign(std::max(k_first, slots_.size() * 2), 0);
  for (StackId node = 1; node < nodes_.size(); ++node) {
    slot_of(nodes_[node].parent, nodes_[node].frame) = node;
  }
}

bool StackTree::append(StackId parent, const Frame &frame) {
  if (nodes_.size() >= limits::k_max_stack_nodes || nodes_[parent].depth >= limits::k_max_depth) {
    return false;
  }
  nodes_.push_back({parent, frame, static_cast<std::uint16_t>(nodes_[parent].depth + 1)});
  return true;
}

StackId StackTree::intern(const std::vector<Frame> &frames) {
  const std::size_t most = std::min(frames.size(), last_.size());
  std::size_t shared = 0;
  while (shared < most && frames[shared] == last_[shared]) {
    ++shared;
  }
  last_path_.resize(shared);
  StackId at = shared == 0 ? 0 : last_path_.back();
  for (std::size_t i = shared; i < frames.size(); ++i) {
    make_room();
    StackId &child = slot_of(at, frames[i]);
    if (child == 0) {
      // The last node is kept for the stack of which nothing is kept.
      const bool last =
          nodes_.size() + 1 >= limits::k_max_stack_nodes && !(frames.size() == 1 && frames[0] == k_unreadable_frame);
      if (last || !append(at, frames[i])) {
        last_.clear();
        last_path_.clear();
        return intern({k_unreadable_frame});
      }
      child = static_cast<StackId>(nodes_.size() - 1);
    }
    at = child;
    last_path_.push_back(at);
  }
  last_ = frames;
  return at;
}

std::vector<Frame> StackTree::frames(StackId stack) const {
  std::vector<Frame> frames;
  for (; stack != 0; stack = nodes_[stack].parent) {
    frames.push_back(nodes_[stack].frame);
  }
  std::reverse(frames.begin(), frames.end());
  return frames;
}

} // namespace awaitscope
