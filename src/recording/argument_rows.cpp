#include "argument_rows.hpp"

#include <algorithm>
#include <string>

#include "awaitscope/model/limits.hpp"
#include "sections.hpp"

namespace awaitscope::block {

using format::Section;

namespace {

constexpr std::uint64_t k_max_call_units = format::k_max_number / format::k_max_unit;
constexpr std::size_t k_hash_size = 8;

void put_hash(ColumnWriter &out, std::size_t column, std::uint64_t hash) {
  std::string bytes;
  put_fixed(bytes, hash);
  out.put_bytes(column, bytes);
}

std::uint64_t take_hash(ColumnReader &in, std::size_t column) {
  const std::string_view bytes = in.take_bytes(column, k_hash_size);
  return bytes.size() == k_hash_size ? fixed_at<std::uint64_t>(bytes, 0) : 0;
}

enum KeyColumn : std::size_t { key_code, key_bits, key_self, key_others, key_state, key_shown };

// What a key's bits say, above its traits.
constexpr std::uint64_t k_traits = 0xFF;
constexpr std::uint64_t k_has_self = 0x100;
constexpr std::uint64_t k_has_others = 0x200;
constexpr std::uint64_t k_has_state = 0x400;

/// The function, of a row that has it only where its key does not say it. False if they cannot be.
bool take_code(ColumnReader &in, std::size_t column, const RecordingTables &tables, std::uint64_t key, CodeId &code) {
  if (key >= tables.keys.size()) {
    return false;
  }
  const std::uint64_t found = key == 0 ? in.take(column) : tables.keys[key].key.code;
  code = static_cast<CodeId>(found);
  return found < tables.codes.size();
}

} // namespace

void put_key(ColumnWriter &out, const RecordedKey &recorded) {
  const ArgumentKey &key = recorded.key;
  out.put(key_code, key.code);
  out.put(key_bits, key.traits | (key.self != 0 ? k_has_self : 0) | (key.others != 0 ? k_has_others : 0) |
                        (key.state != 0 ? k_has_state : 0));
  if (key.self != 0) {
    put_hash(out, key_self, key.self);
  }
  if (key.others != 0) {
    put_hash(out, key_others, key.others);
  }
  if (key.state != 0) {
    put_hash(out, key_state, key.state);
  }
  out.put(key_shown, recorded.shown);
}

bool take_keys(std::string_view contents, RecordingTables &tables) {
  ColumnReader in(contents, k_key_columns);
  for (std::size_t row = 0; row < in.rows(); ++row) {
    const std::uint64_t code = in.take(key_code);
    const std::uint64_t bits = in.take(key_bits);
    RecordedKey recorded;
    recorded.key.code = static_cast<CodeId>(code);
    recorded.key.traits = static_cast<std::uint8_t>(bits & k_traits);
    recorded.key.self = (bits & k_has_self) != 0 ? take_hash(in, key_self) : 0;
    recorded.key.others = (bits & k_has_others) != 0 ? take_hash(in, key_others) : 0;
    recorded.key.state = (bits & k_has_state) != 0 ? take_hash(in, key_state) : 0;
    const std::uint64_t shown = in.take(key_shown);
    recorded.shown = static_cast<TextId>(shown);
    if (!in.ok() || code >= tables.codes.size() || shown >= tables.texts.size() ||
        tables.keys.size() >= limits::k_max_argument_keys) {
      return false;
    }
    tables.keys.push_back(recorded);
  }
  return in.ok();
}

void put_fact(ColumnWriter &out, const RecordedFact &fact) {
  out.put(0, fact.code);
  out.put(1, static_cast<std::uint64_t>(fact.kind));
  out.put(2, fact.name);
}

bool take_facts(std::string_view contents, RecordingTables &tables) {
  ColumnReader in(contents, k_fact_columns);
  for (std::size_t row = 0; row < in.rows(); ++row) {
    const std::uint64_t code = in.take(0);
    const std::uint64_t kind = in.take(1);
    const std::uint64_t name = in.take(2);
    if (!in.ok() || code >= tables.codes.size() || name >= tables.texts.size() ||
        tables.facts.size() >= limits::k_max_facts) {
      return false;
    }
    if (kind < static_cast<std::uint64_t>(FunctionFact::Kind::count_)) { // else of a later version
      tables.facts.push_back(
          {static_cast<CodeId>(code), static_cast<FunctionFact::Kind>(kind), static_cast<TextId>(name)});
    }
  }
  return in.ok();
}

namespace {

enum SeenColumn : std::size_t { seen_row, seen_from_leaf, seen_key, seen_code, seen_columns };

enum TracedColumn : std::size_t {
  traced_begin,
  traced_thread,
  traced_bits,
  traced_key,
  traced_code,
  traced_returned,
  traced_duration,
  traced_cpu,
  traced_inner,
  traced_columns
};

// What a traced call's bits say, above the traits of what it returned.
constexpr std::uint64_t k_raised = 0x100;
constexpr std::uint64_t k_has_traced_cpu = 0x200;
constexpr std::uint64_t k_has_inner = 0x400;
constexpr std::uint64_t k_unfinished = 0x800;

} // namespace

void put_seen_calls(std::string &block, const std::vector<RecordedSeenCall> &rows) {
  ColumnWriter out(Section::seen_calls, seen_columns);
  std::uint32_t before = 0;
  for (const RecordedSeenCall &row : rows) {
    out.put(seen_row, row.row - before);
    before = row.row;
    out.put(seen_from_leaf, row.from_leaf);
    out.put(seen_key, row.key);
    if (row.key == 0) {
      out.put(seen_code, row.code);
    }
    out.end_row();
  }
  out.append_to(block);
}

bool take_seen_calls(std::string_view contents, const RecordingTables &tables, std::size_t samples,
                     std::vector<RecordedSeenCall> &rows) {
  ColumnReader in(contents, seen_columns);
  rows.reserve(in.rows());
  std::uint64_t sample = 0;
  for (std::size_t i = 0; i < in.rows(); ++i) {
    RecordedSeenCall row;
    const std::uint64_t step = in.take(seen_row);
    const std::uint64_t from_leaf = in.take(seen_from_leaf);
    const std::uint64_t key = in.take(seen_key);
    if (step >= samples || from_leaf > limits::k_max_depth || !take_code(in, seen_code, tables, key, row.code)) {
      return false;
    }
    sample += step;
    if (sample >= samples) {
      return false;
    }
    row.row = static_cast<std::uint32_t>(sample);
    row.from_leaf = static_cast<std::uint32_t>(from_leaf);
    row.key = static_cast<KeyId>(key);
    rows.push_back(row);
  }
  return in.ok();
}

void put_traced_calls(std::string &block, const std::vector<RecordedTracedCall> &rows, std::int64_t unit_ns) {
  ColumnWriter out(Section::traced_calls, traced_columns);
  std::int64_t before = 0;
  for (const RecordedTracedCall &row : rows) {
    const std::int64_t begin = row.begin_ns / unit_ns;
    out.put_signed(traced_begin, begin - before);
    before = begin;
    out.put(traced_thread, row.thread);
    out.put(traced_bits, row.return_traits | (row.raised ? k_raised : 0) | (row.cpu_ns != 0 ? k_has_traced_cpu : 0) |
                             (row.inner_ns != 0 ? k_has_inner : 0) | (row.unfinished ? k_unfinished : 0));
    out.put(traced_key, row.key);
    if (row.key == 0) {
      out.put(traced_code, row.code);
    }
    put_hash(out, traced_returned, row.returned);
    out.put(traced_duration, row.duration_ns);
    if (row.cpu_ns != 0) {
      out.put(traced_cpu, row.cpu_ns);
    }
    if (row.inner_ns != 0) {
      out.put(traced_inner, row.inner_ns);
    }
    out.end_row();
  }
  out.append_to(block);
}

bool take_traced_calls(std::string_view contents, std::int64_t unit_ns, const RecordingTables &tables,
                       std::vector<RecordedTracedCall> &rows) {
  ColumnReader in(contents, traced_columns);
  rows.reserve(in.rows());
  std::uint64_t begin = 0;
  for (std::size_t i = 0; i < in.rows(); ++i) {
    RecordedTracedCall row;
    begin += static_cast<std::uint64_t>(in.take_signed(traced_begin));
    const std::uint64_t thread = in.take(traced_thread);
    const std::uint64_t bits = in.take(traced_bits);
    const std::uint64_t key = in.take(traced_key);
    if (thread >= tables.threads.size() || begin > k_max_call_units ||
        !take_code(in, traced_code, tables, key, row.code)) {
      return false;
    }
    row.begin_ns = static_cast<std::int64_t>(begin) * unit_ns;
    row.thread = static_cast<std::uint32_t>(thread);
    row.key = static_cast<KeyId>(key);
    row.return_traits = static_cast<std::uint8_t>(bits & k_traits);
    row.raised = (bits & k_raised) != 0;
    row.returned = take_hash(in, traced_returned);
    row.duration_ns = in.take(traced_duration);
    row.cpu_ns = (bits & k_has_traced_cpu) != 0 ? in.take(traced_cpu) : 0;
    row.unfinished = (bits & k_unfinished) != 0;
    row.inner_ns = (bits & k_has_inner) != 0 ? in.take(traced_inner) : 0;
    if (std::max(row.duration_ns, row.cpu_ns) > format::k_max_number || row.inner_ns > row.duration_ns) {
      return false;
    }
    rows.push_back(row);
  }
  return in.ok();
}

void put_lost_calls(std::string &block, const std::vector<RecordedLostCalls> &rows) {
  ColumnWriter out(Section::lost_calls, 2);
  for (const RecordedLostCalls &row : rows) {
    out.put(0, row.code);
    out.put(1, row.calls);
    out.end_row();
  }
  out.append_to(block);
}

bool take_lost_calls(std::string_view contents, const RecordingTables &tables, std::vector<RecordedLostCalls> &rows) {
  ColumnReader in(contents, 2);
  for (std::size_t i = 0; i < in.rows(); ++i) {
    const std::uint64_t code = in.take(0);
    const std::uint64_t calls = in.take(1);
    if (code >= tables.codes.size() || calls > format::k_max_number) {
      return false;
    }
    rows.push_back({static_cast<CodeId>(code), calls});
  }
  return in.ok();
}

} // namespace awaitscope::block
