#include "awaitscope/cpython/code_cache.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "awaitscope/cpython/line_table.hpp"

namespace awaitscope {
namespace {

constexpr std::uint64_t k_max_line_table = 4U << 20U;
constexpr std::size_t k_max_known = 1U << 20U;

} // namespace

std::optional<CodeCache::Identity> CodeCache::identify(Address code) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  Identity identity;
  identity.filename = memory.pointer(code + layout.co_filename);
  identity.qualname = memory.pointer(code + layout.co_qualname);
  identity.linetable = memory.pointer(code + layout.co_linetable);
  const auto first_line = memory.get<std::int32_t>(code + layout.co_firstlineno);
  if (identity.filename == 0 || identity.qualname == 0 || !first_line) {
    return std::nullopt;
  }
  identity.first_line = *first_line;
  if (layout.co_version != k_absent) {
    identity.version = memory.get<std::uint32_t>(code + layout.co_version).value_or(0);
  }
  if (layout.code_identity == CodeIdentity::texts) {
    // A name is interned, and so has a hash (Objects/codeobject.c); a file name need not have one.
    identity.name_hash = memory.get<std::int64_t>(identity.qualname + layout.str_hash).value_or(0);
    identity.file_digest = objects_.text_digest(identity.filename);
  }
  return identity;
}

void CodeCache::begin(Address interpreter) {
  // Objects/codeobject.c, init_code(): co_version = next_version++, until it overflows to 0. The field's place may differ in
  // a build: one whose value is not close above every version met is not that field, and is never used.
  const Offset field = objects_.layout().is_next_code_version;
  made_ = 0;
  if (interpreter == 0 || field == k_absent || !count_usable_) {
    return;
  }
  const std::uint32_t count = objects_.memory().get<std::uint32_t>(interpreter + field).value_or(0);
  constexpr std::uint32_t k_close = 1U << 22U;
  count_usable_ = count == 0 || (count > highest_ && count >= last_count_ && count - highest_ < k_close);
  last_count_ = count;
  made_ = count_usable_ ? count : 0;
}

std::optional<CodeId> CodeCache::find(Address code) {
  if (code == 0) {
    return std::nullopt;
  }
  const auto known = known_.find(code);
  if (known != known_.end() && made_ != 0 && known->second.checked_at == made_) {
    return known->second.id;
  }
  const std::optional<Identity> identity = identify(code);
  if (!identity) {
    return std::nullopt;
  }
  if (made_ != 0) {
    highest_ = std::max(highest_, identity->version);
    count_usable_ = highest_ < made_;
    made_ = count_usable_ ? made_ : 0;
  }
  if (known != known_.end() && known->second.identity == *identity) {
    known->second.checked_at = made_;
    return known->second.id;
  }
  const std::optional<CodeId> id = load(code, *identity);
  if (id) {
    if (known_.size() >= k_max_known) {
      known_.clear();
    }
    known_[code] = {*identity, *id, made_};
  }
  return id;
}

std::optional<CodeId> CodeCache::load(Address code, const Identity &identity) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  if (!objects_.is_kind(objects_.type_of(code), "code")) {
    return std::nullopt;
  }
  std::optional<std::string> function = objects_.text(identity.qualname);
  std::optional<std::string> file = objects_.text(identity.filename);
  const auto size = memory.get<std::uint64_t>(identity.linetable + layout.ob_size);
  if (!function || !file || !size || *size > k_max_line_table) {
    return std::nullopt;
  }
  std::string lines(*size, '\0');
  if (!lines.empty()) {
    const RemoteRange range{identity.linetable + layout.bytes_value, lines.size()};
    memory.prefetch(std::span(&range, 1));
    if (!memory.copy(range.address, lines.data(), lines.size())) {
      return std::nullopt;
    }
  }
  const std::string content = fmt::format("{}\n{}\n{}\n{}", *function, *file, identity.first_line, lines);
  const auto same = by_content_.find(content);
  if (same != by_content_.end()) {
    return same->second;
  }
  const CodeId id = table_.add({std::move(*function), std::move(*file), identity.first_line,
                                decode_lines(layout.line_table, lines, identity.first_line)});
  by_content_.emplace(content, id);
  return id;
}

CodeId CodeCache::named(CodeId code, Address code_address, Address qualname) {
  if (qualname == 0 || objects_.memory().pointer(code_address + objects_.layout().co_qualname) == qualname) {
    return code;
  }
  const std::optional<std::string> name = objects_.text(qualname);
  if (!name || *name == table_.at(code).function) {
    return code;
  }
  return table_.add_name(*name);
}

} // namespace awaitscope
