#include "awaitscope/recording/recording.hpp"

namespace awaitscope {

std::size_t Recording::KeyHash::operator()(const Key &key) const {
  constexpr std::uint64_t k_mix = 0x9E3779B97F4A7C15ULL;
  std::uint64_t hash = (std::uint64_t{key.thread_name} << 32U | key.task_name) * k_mix;
  hash = (hash ^ key.stack) * k_mix;
  hash = (hash ^ (static_cast<std::uint64_t>(key.state) << 1U | static_cast<std::uint64_t>(key.in_task))) * k_mix;
  return hash ^ (hash >> 32U);
}

std::uint32_t Recording::intern(const std::string &text) {
  const auto [entry, fresh] = text_ids_.try_emplace(text, static_cast<std::uint32_t>(texts_.size()));
  if (fresh) {
    texts_.push_back(text);
  }
  return entry->second;
}

void Recording::add(const Sample &sample, const std::string &thread_name) {
  Key key;
  key.thread_name = intern(thread_name);
  key.task_name = intern(sample.task_name);
  key.stack = stacks.intern(sample.stack.frames);
  key.state = sample.state;
  key.in_task = sample.stack.in_task;
  ++counts_[key];
}

} // namespace awaitscope
