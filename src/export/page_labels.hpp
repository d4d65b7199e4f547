#pragma once

#include <map>
#include <string>
#include <tuple>
#include <unordered_map>

#include "awaitscope/export/names.hpp"
#include "awaitscope/recording/reader.hpp"
#include "awaitscope/report/cost_history.hpp"

namespace awaitscope {

/// Numbers the labels of what the page shows: equal ones have the same number.
class PageLabels {
public:
  PageLabels(const RecordingReader &reader, const CostHistory &history, const NameOptions &names)
      : reader_(reader), history_(history), names_(names) {}

  std::size_t number(const CostHistory::Node &node);

  /// Of a function, at its first line.
  std::size_t number(CodeId function);

  /// All so far, the members of a JSON array.
  [[nodiscard]] const std::string &list() const { return list_; }

private:
  using Key = std::tuple<CostHistory::Level, std::uint32_t, CodeId, std::int32_t, FrameKind>;

  std::size_t number_of(const std::string &label);
  [[nodiscard]] std::string describe(const CostHistory::Node &node) const;
  [[nodiscard]] std::string describe(const CodeInfo &code, FrameKind kind, std::int32_t line) const;

  const RecordingReader &reader_;
  const CostHistory &history_;
  NameOptions names_;
  std::map<Key, std::size_t> of_nodes_;
  std::unordered_map<std::string, std::size_t> known_;
  std::string list_;
};

} // namespace awaitscope
