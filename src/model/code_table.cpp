#include "awaitscope/model/code_table.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "awaitscope/model/limits.hpp"

namespace awaitscope {
namespace {

std::uint64_t name_bytes_of(const CodeInfo &info) { return info.function.size() + info.file.size(); }

} // namespace

std::string code_label(const CodeInfo &code) {
  return code.function + " (" + code.file + ":" + std::to_string(code.first_line) + ")";
}

CodeId CodeTable::add(CodeInfo info) {
  name_bytes_ += name_bytes_of(info);
  codes_.push_back(std::move(info));
  return static_cast<CodeId>(codes_.size() - 1);
}

CodeId CodeTable::intern(const CodeInfo &info) {
  constexpr std::size_t k_mix = 0x9E3779B97F4A7C15ULL;
  const std::hash<std::string> hash_of;
  const std::size_t hash = (hash_of(info.function) * k_mix ^ hash_of(info.file)) * k_mix ^
                           static_cast<std::size_t>(static_cast<std::uint32_t>(info.first_line));
  const auto [begin, end] = interned_.equal_range(hash);
  for (auto entry = begin; entry != end; ++entry) {
    const CodeInfo &known = codes_[entry->second];
    if (known.first_line == info.first_line && known.function == info.function && known.file == info.file) {
      return entry->second;
    }
  }
  const bool full = codes_.size() + 1 >= limits::k_max_codes ||
                    name_bytes_ + name_bytes_of(info) + limits::k_left_out.size() > limits::k_max_code_bytes;
  if (full && info.function != limits::k_left_out) {
    return intern({std::string(limits::k_left_out), {}, 0});
  }
  const CodeId id = add(info);
  interned_.emplace(hash, id);
  return id;
}

CodeId CodeTable::add_name(std::string_view name, std::string_view file) {
  return intern({std::string(name), std::string(file), 0});
}

} // namespace awaitscope
