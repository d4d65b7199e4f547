#pragma once

#include <map>
#include <string_view>
#include <tuple>
#include <vector>

#include "awaitscope/model/code_table.hpp"

namespace awaitscope {

/// Numbers functions as they are met: code objects with the same name, file and line are one (a nested function has one for
/// each time that its `def` ran).
class FunctionNumbers {
public:
  explicit FunctionNumbers(const CodeTable &codes) : codes_(codes), numbers_(codes.size(), k_unknown) {}

  /// Dense, from 0.
  std::size_t number(CodeId code) {
    if (code >= numbers_.size()) {
      numbers_.resize(codes_.size(), k_unknown);
    }
    std::size_t &number = numbers_[code];
    if (number == k_unknown) {
      const CodeInfo &info = codes_.at(code);
      number = known_.try_emplace({info.function, info.file, info.first_line}, known_.size()).first->second;
    }
    return number;
  }

private:
  static constexpr std::size_t k_unknown = SIZE_MAX;

  const CodeTable &codes_;
  std::vector<std::size_t> numbers_;
  std::map<std::tuple<std::string_view, std::string_view, std::int32_t>, std::size_t> known_; ///< views of codes_
};

} // namespace awaitscope
