#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "awaitscope/model/ids.hpp"

namespace awaitscope {

/// What is known of one code object. Text is valid UTF-8.
struct CodeInfo {
  std::string function; ///< co_qualname
  std::string file;     ///< co_filename as it stands in the code object
  std::int32_t first_line = 0;
};

/// What stands for a function in the name of a FunctionFact: "Shop.total (/srv/shop.py:12)".
std::string code_label(const CodeInfo &code);

/// Every function seen, each stored once. Ids are dense and never reused; entries never move. What is interned is bounded (limits.hpp):
/// a function beyond that is limits::k_left_out.
class CodeTable {
public:
  CodeId add(CodeInfo info);

  /// Code objects with the same names and first line are one function, whatever their bodies.
  CodeId intern(const CodeInfo &info);

  /// A name without code, such as a coroutine compiled by Cython, with its module in place of a file: interned by both.
  CodeId add_name(std::string_view name, std::string_view file = {});

  [[nodiscard]] const CodeInfo &at(CodeId id) const { return codes_[id]; }
  [[nodiscard]] std::size_t size() const { return codes_.size(); }

  /// Of the names of all, in bytes.
  [[nodiscard]] std::uint64_t name_bytes() const { return name_bytes_; }

private:
  std::deque<CodeInfo> codes_;
  std::uint64_t name_bytes_ = 0;
  std::unordered_multimap<std::size_t, CodeId> interned_; ///< by hash
};

} // namespace awaitscope
