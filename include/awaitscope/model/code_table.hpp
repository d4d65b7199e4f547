#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "awaitscope/model/ids.hpp"

namespace awaitscope {

/// The line of the instructions from `offset` (bytes from the first instruction) up to the next entry's offset;
/// 0 where the code has none.
struct LineEntry {
  std::uint32_t offset = 0;
  std::int32_t line = 0;
};

/// What is known of one code object. Text is valid UTF-8.
struct CodeInfo {
  std::string function; ///< co_qualname
  std::string file;     ///< co_filename as it stands in the code object
  std::int32_t first_line = 0;
  std::vector<LineEntry> lines; ///< sorted by offset
};

/// The executing line at `offset`, or 0 where the code has none.
std::int32_t line_at(const CodeInfo &code, std::int64_t offset);

/// Every code object seen, each stored once. Ids are dense and never reused; entries never move.
class CodeTable {
public:
  CodeId add(CodeInfo info);

  /// A name without code, such as a coroutine compiled by Cython, with its module in place of a file: interned by both.
  CodeId add_name(std::string_view name, std::string_view file = {});

  [[nodiscard]] const CodeInfo &at(CodeId id) const { return codes_[id]; }
  [[nodiscard]] std::size_t size() const { return codes_.size(); }

private:
  std::deque<CodeInfo> codes_;
  std::unordered_map<std::string, CodeId> names_;
};

} // namespace awaitscope
