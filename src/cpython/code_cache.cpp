#include "awaitscope/cpython/code_cache.hpp"

#include <algorithm>
#include <utility>

namespace awaitscope {
namespace {

constexpr std::uint64_t k_max_line_table = 4U << 20U;
constexpr std::size_t k_max_known = 1U << 17U;
constexpr std::size_t k_max_line_bytes = 32U << 20U;
constexpr std::int64_t k_settling_ns = 1'000'000'000;
constexpr std::uint64_t k_window_epoch = std::uint64_t{1} << 63U; // no count of code objects, which has 32 bits

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

/// Objects/codeobject.c, init_code(): co_version = next_version++, until it overflows to 0. The field's place may differ in
/// a build: one whose value is not close above every version met is not that field, and is never used.
Address CodeCache::count_address(Address interpreter) const {
  const Offset field = objects_.layout().is_next_code_version;
  if (!count_usable_) {
    return 0;
  }
  return counter_ != 0 ? counter_ : interpreter != 0 && field != k_absent ? interpreter + field : 0;
}

std::optional<GuardedWord> CodeCache::count_word(Address interpreter) const {
  const Address address = count_address(interpreter);
  return address != 0 && last_count_ != 0 ? std::optional(GuardedWord{address, UINT32_MAX, last_count_}) : std::nullopt;
}

/// How many code objects the interpreter has made; 0 if it does not say.
std::uint32_t CodeCache::read_count(Address interpreter) {
  const Address address = count_address(interpreter);
  if (address == 0) {
    return 0;
  }
  const std::uint32_t count = objects_.memory().get<std::uint32_t>(address).value_or(0);
  constexpr std::uint32_t k_close = 1U << 22U;
  count_usable_ = count == 0 || (count > highest_ && count >= last_count_ && count - highest_ < k_close);
  last_count_ = count;
  return count_usable_ ? count : 0;
}

void CodeCache::begin(Address interpreter, std::int64_t now_ns) {
  made_ = read_count(interpreter);
  now_ns_ = now_ns;
  epoch_ = made_ != 0 ? made_ : now_ns != 0 ? k_window_epoch | window_ : 0;
}

bool CodeCache::is_settled(const Known &known) const {
  return now_ns_ != 0 && !known.another_before && known.since_ns != 0 &&
         known.checked_ns - known.since_ns >= k_settling_ns && now_ns_ - known.checked_ns < k_settling_ns;
}

std::optional<CodeId> CodeCache::find(Address code) {
  trust_ = 0;
  if (code == 0) {
    return std::nullopt;
  }
  const auto known = known_.find(code);
  if (known != known_.end() && epoch_ != 0 && known->second.epoch == epoch_) {
    trust_ = epoch_;
    edition_ = known->second.edition;
    return known->second.id;
  }
  if (known != known_.end() && made_ == 0 && is_settled(known->second)) {
    unconfirmed_.push_back({code, known->second.identity, known->second.id});
    known->second.epoch = trust_ = epoch_;
    edition_ = known->second.edition;
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
    epoch_ = made_; // for the rest of this look
  }
  trust_ = made_;
  if (known != known_.end() && known->second.identity == *identity) {
    known->second.epoch = made_;
    known->second.checked_ns = now_ns_;
    edition_ = known->second.edition;
    return known->second.id;
  }
  CodeLines lines{identity->first_line};
  const std::optional<CodeId> id = load(code, *identity, lines);
  if (id) {
    const bool another_before = known != known_.end();
    edition_ = ++last_edition_;
    keep(code, {*identity, *id, std::move(lines), edition_, made_, now_ns_, now_ns_, another_before});
  }
  return id;
}

bool CodeCache::holds_more_than(std::size_t part) const {
  return known_.size() >= k_max_known * part || line_bytes_ > k_max_line_bytes * part;
}

void CodeCache::forget() {
  known_.clear();
  line_bytes_ = 0;
}

void CodeCache::keep(Address code, Known fresh) {
  const auto size_of = [](const Known &known) { return known.lines.entries.size() * sizeof(LineEntry); };
  if (const auto known = known_.find(code); known != known_.end()) {
    line_bytes_ -= size_of(known->second);
    known_.erase(known);
  }
  if (holds_more_than(2)) {
    forget();
  }
  line_bytes_ += size_of(fresh);
  known_.emplace(code, std::move(fresh));
}

std::int32_t CodeCache::line(Address code, std::int64_t instruction) const {
  const auto known = known_.find(code);
  return known == known_.end() ? 0 : line_at(known->second.lines, instruction);
}

std::vector<CodeId> CodeCache::confirm() {
  if (holds_more_than(1)) { // nobody is held meanwhile: a hundred thousand take tens of milliseconds
    forget();
  }
  std::vector<CodeId> replaced;
  if (unconfirmed_.empty()) {
    return replaced;
  }
  ++window_;
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  memory.begin(SnapshotMemory::Prefetch::nothing);
  std::vector<RemoteRange> ranges;
  for (const Trusted &trusted : unconfirmed_) {
    ranges.push_back({trusted.code, layout.co_linetable + sizeof(Address)});
    ranges.push_back({trusted.identity.qualname, layout.str_ascii});
    ranges.push_back({trusted.identity.filename, layout.str_ascii + ObjectReader::k_digested});
  }
  memory.prefetch(ranges);
  for (const Trusted &trusted : std::exchange(unconfirmed_, {})) {
    const bool same = identify(trusted.code) == trusted.identity;
    if (memory.status() == ReadStatus::gone || memory.status() == ReadStatus::denied) {
      break;
    }
    if (!same) {
      replaced.push_back(trusted.id);
    }
    if (const auto known = known_.find(trusted.code); known != known_.end() && same) {
      known->second.checked_ns = now_ns_;
    } else if (known != known_.end()) {
      keep(trusted.code, {{}, 0, {}, 0, 0, 0, 0, true});
    }
  }
  return replaced;
}

std::optional<CodeId> CodeCache::load(Address code, const Identity &identity, CodeLines &lines) {
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
  std::string table(*size, '\0');
  if (!table.empty()) {
    const RemoteRange range{identity.linetable + layout.bytes_value, table.size()};
    memory.prefetch(std::span(&range, 1));
    if (!memory.copy(range.address, table.data(), table.size())) {
      return std::nullopt;
    }
  }
  lines.entries = decode_lines(layout.line_table, table, identity.first_line);
  lines.entries.shrink_to_fit();
  const CodeId id = table_.intern({std::move(*function), std::move(*file), identity.first_line});
  internal_.resize(table_.size());
  internal_[id] = identity.filename == identity.qualname && identity.first_line == 0;
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
