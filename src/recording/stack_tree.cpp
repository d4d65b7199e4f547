#include "awaitscope/recording/stack_tree.hpp"

#include <algorithm>

namespace awaitscope {

std::size_t StackTree::EdgeHash::operator()(const Edge &edge) const {
  constexpr std::uint64_t k_mix = 0x9E3779B97F4A7C15ULL;
  std::uint64_t hash = edge.parent * k_mix;
  hash = (hash ^ edge.frame.code) * k_mix;
  hash = (hash ^ static_cast<std::uint32_t>(edge.frame.line)) * k_mix;
  hash = (hash ^ static_cast<std::uint64_t>(edge.frame.kind)) * k_mix;
  return hash ^ (hash >> 32U);
}

StackTree::StackTree() : nodes_(1) {}

StackId StackTree::intern(const std::vector<Frame> &frames) {
  const std::size_t most = std::min(frames.size(), last_.size());
  std::size_t shared = 0;
  while (shared < most && frames[shared] == last_[shared]) {
    ++shared;
  }
  last_path_.resize(shared);
  StackId at = shared == 0 ? 0 : last_path_.back();
  for (std::size_t i = shared; i < frames.size(); ++i) {
    const auto [child, fresh] = children_.try_emplace({at, frames[i]}, static_cast<StackId>(nodes_.size()));
    if (fresh) {
      nodes_.push_back({at, frames[i]});
    }
    at = child->second;
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
