#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "awaitscope/model/code_table.hpp"
#include "awaitscope/model/sample.hpp"
#include "awaitscope/recording/stack_tree.hpp"

namespace awaitscope {

/// Everything that was sampled, in memory that grows with distinct stacks and not with samples.
class Recording {
public:
  /// What samples are told apart by.
  struct Key {
    std::uint32_t thread_name = 0; ///< index into texts
    std::uint32_t task_name = 0;
    StackId stack = 0;
    ThreadState state = ThreadState::running;
    bool in_task = false;
    bool operator==(const Key &) const = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key &key) const;
  };

  CodeTable codes;
  StackTree stacks;
  std::vector<std::string> import_paths; ///< the target's sys.path, to shorten file names by
  SamplingTotals totals;

  void add(const Sample &sample, const std::string &thread_name);

  [[nodiscard]] const std::unordered_map<Key, std::uint64_t, KeyHash> &counts() const { return counts_; }
  [[nodiscard]] const std::string &text(std::uint32_t id) const { return texts_[id]; }

private:
  std::uint32_t intern(const std::string &text);

  std::unordered_map<Key, std::uint64_t, KeyHash> counts_;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::uint32_t> text_ids_;
};

} // namespace awaitscope
