#include "awaitscope/model/code_table.hpp"

#include <algorithm>

namespace awaitscope {

std::int32_t line_at(const CodeInfo &code, std::int64_t offset) {
  if (offset < 0) {
    return code.first_line;
  }
  const auto after = std::upper_bound(code.lines.begin(), code.lines.end(), offset,
                                      [](std::int64_t at, const LineEntry &entry) { return at < entry.offset; });
  return after == code.lines.begin() ? 0 : std::prev(after)->line;
}

CodeId CodeTable::add(CodeInfo info) {
  codes_.push_back(std::move(info));
  return static_cast<CodeId>(codes_.size() - 1);
}

CodeId CodeTable::add_name(std::string_view name, std::string_view file) {
  const auto [known, fresh] = names_.try_emplace(std::string(name) + '\n' + std::string(file));
  if (fresh) {
    known->second = add(CodeInfo{std::string(name), std::string(file), 0, {}});
  }
  return known->second;
}

} // namespace awaitscope
