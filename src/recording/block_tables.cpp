#include "sections.hpp"

#include <algorithm>
#include <utility>

#include "argument_rows.hpp"
#include "awaitscope/model/limits.hpp"
#include "awaitscope/recording/columns.hpp"
#include "request_rows.hpp"

namespace awaitscope::block {

using format::Section;

namespace {

/// How many bytes two texts begin with alike, as far as a reader lets them share.
std::size_t shared_beginning(std::string_view a, std::string_view b) {
  const std::size_t most = std::min({a.size(), b.size(), format::k_max_shared});
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.begin() + most, b.begin()).first - a.begin());
}

} // namespace

bool take_texts(std::string_view contents, RecordingTables &tables) {
  ColumnReader in(contents, 3);
  for (std::size_t row = 0; row < in.rows(); ++row) {
    const std::string_view before = tables.texts.back();
    const std::uint64_t shared = in.take(0);
    const std::uint64_t rest = in.take(1);
    tables.text_bytes += shared + rest;
    tables.text_content += rest;
    if (shared > std::min(before.size(), format::k_max_shared) || rest > format::k_max_text ||
        tables.text_bytes > limits::k_max_text_bytes || tables.texts.size() >= limits::k_max_texts) {
      return false;
    }
    std::string text(before.substr(0, shared));
    text += in.take_bytes(2, rest);
    tables.texts.push_back(std::move(text));
  }
  return in.ok();
}

bool take_codes(std::string_view contents, RecordingTables &tables) {
  ColumnReader in(contents, 3);
  for (std::size_t row = 0; row < in.rows(); ++row) {
    const std::uint64_t function = in.take(0);
    const std::uint64_t file = in.take(1);
    const auto line = static_cast<std::int32_t>(in.take_signed(2));
    if (!in.ok() || function >= tables.texts.size() || file >= tables.texts.size()) {
      return false;
    }
    tables.codes.add({tables.texts[function], tables.texts[file], line});
    if (tables.codes.name_bytes() > limits::k_max_code_bytes || tables.codes.size() > limits::k_max_codes) {
      return false;
    }
  }
  return in.ok();
}

bool take_stacks(std::string_view contents, RecordingTables &tables) {
  ColumnReader in(contents, 4);
  for (std::size_t row = 0; row < in.rows(); ++row) {
    const std::uint64_t up = in.take(0);
    const std::uint64_t code = in.take(1);
    const std::int64_t line = in.take_signed(2);
    const std::uint64_t kind = in.take(3);
    const std::size_t own = tables.stacks.size();
    const bool known = kind <= static_cast<std::uint64_t>(FrameKind::label);
    const bool unreadable = known && !is_named(static_cast<FrameKind>(kind));
    if (!in.ok() || up == 0 || up > own || !known || (!unreadable && code >= tables.codes.size())) {
      return false;
    }
    const std::int64_t first = unreadable ? 0 : tables.codes.at(static_cast<CodeId>(code)).first_line;
    const Frame frame{static_cast<CodeId>(unreadable ? 0 : code),
                      static_cast<std::int32_t>(static_cast<std::uint64_t>(first) + static_cast<std::uint64_t>(line)),
                      static_cast<FrameKind>(kind)};
    if (!tables.stacks.append(static_cast<StackId>(own - up), frame)) {
      return false;
    }
  }
  return in.ok();
}

bool take_threads(std::string_view contents, RecordingTables &tables) {
  ColumnReader in(contents, 3);
  for (std::size_t row = 0; row < in.rows(); ++row) {
    const RecordedThread before = tables.threads.empty() ? RecordedThread{} : tables.threads.back();
    const auto tid = static_cast<std::uint64_t>(before.tid) + static_cast<std::uint64_t>(in.take_signed(0));
    const std::uint64_t name = before.name + static_cast<std::uint64_t>(in.take_signed(1));
    const std::uint64_t process = in.has(2) ? in.take(2) : 0;
    if (!in.ok() || name >= tables.texts.size() || process >= tables.texts.size() ||
        tables.threads.size() >= limits::k_max_threads) {
      return false;
    }
    tables.threads.push_back({static_cast<ThreadId>(tid), static_cast<TextId>(name), static_cast<TextId>(process)});
  }
  return in.ok();
}

bool take_tasks(std::string_view contents, RecordingTables &tables) {
  ColumnReader in(contents, 4);
  for (std::size_t row = 0; row < in.rows(); ++row) {
    const Address address = in.take(0);
    const std::uint64_t coroutine = in.take(1);
    const std::uint64_t name = in.take(2);
    const std::uint64_t process = in.has(3) ? in.take(3) : 0;
    if (!in.ok() || name >= tables.texts.size() || coroutine > tables.codes.size() || process >= tables.texts.size() ||
        tables.tasks.size() >= limits::k_max_tasks) {
      return false;
    }
    tables.tasks.push_back({address, static_cast<CodeId>(coroutine == 0 ? 0 : coroutine - 1), static_cast<TextId>(name),
                            coroutine == 0, static_cast<TextId>(process)});
  }
  return in.ok();
}

bool put_tables(std::string &block, const RecordingTables &tables, const CodeTable &codes,
                const std::vector<CodeTexts> &code_texts, Extent &from) {
  // A later table refers to an earlier one, so that each begins only once those before it are whole.
  const auto put_rows = [&](Section section, std::size_t columns, std::size_t &at, std::size_t end, auto put_row) {
    ColumnWriter out(section, columns);
    for (; at < end && out.rows() < format::k_enough_rows && block.size() + out.size() < format::k_enough_bytes; ++at) {
      put_row(out);
      out.end_row();
    }
    out.append_to(block);
    return at >= end;
  };
  return put_rows(Section::texts, 3, from.texts, tables.texts.size(),
                  [&](ColumnWriter &out) {
                    const std::string &text = tables.texts[from.texts];
                    const std::size_t shared = shared_beginning(tables.texts[from.texts - 1], text);
                    out.put(0, shared);
                    out.put(1, text.size() - shared);
                    out.put_bytes(2, std::string_view(text).substr(shared));
                  }) &&
         put_rows(Section::codes, 3, from.codes, code_texts.size(),
                  [&](ColumnWriter &out) {
                    out.put(0, code_texts[from.codes].function);
                    out.put(1, code_texts[from.codes].file);
                    out.put_signed(2, codes.at(static_cast<CodeId>(from.codes)).first_line);
                  }) &&
         put_rows(Section::stacks, 4, from.stacks, tables.stacks.size(),
                  [&](ColumnWriter &out) {
                    const auto own = static_cast<StackId>(from.stacks);
                    const Frame &frame = tables.stacks.leaf(own);
                    const bool unreadable = !is_named(frame.kind);
                    out.put(0, own - tables.stacks.parent(own));
                    out.put(1, unreadable ? 0 : frame.code);
                    out.put_signed(2, std::int64_t{frame.line} - (unreadable ? 0 : codes.at(frame.code).first_line));
                    out.put(3, static_cast<std::uint64_t>(frame.kind));
                  }) &&
         put_rows(Section::threads, 3, from.threads, tables.threads.size(),
                  [&](ColumnWriter &out) {
                    const RecordedThread &thread = tables.threads[from.threads];
                    const RecordedThread before =
                        from.threads == 0 ? RecordedThread{} : tables.threads[from.threads - 1];
                    out.put_signed(0, std::int64_t{thread.tid} - before.tid);
                    out.put_signed(1, std::int64_t{thread.name} - before.name);
                    out.put(2, thread.process);
                  }) &&
         put_rows(Section::tasks, 4, from.tasks, tables.tasks.size(),
                  [&](ColumnWriter &out) {
                    const RecordedTask &task = tables.tasks[from.tasks];
                    out.put(0, task.address);
                    out.put(1, task.unknown ? 0 : std::uint64_t{task.coroutine} + 1);
                    out.put(2, task.name);
                    out.put(3, task.process);
                  }) &&
         put_rows(Section::requests, k_request_columns, from.requests, tables.requests.size(),
                  [&](ColumnWriter &out) { put_request(out, from.requests, tables.requests[from.requests]); }) &&
         put_rows(Section::function_facts, k_fact_columns, from.facts, tables.facts.size(),
                  [&](ColumnWriter &out) { put_fact(out, tables.facts[from.facts]); }) &&
         put_rows(Section::argument_keys, k_key_columns, from.keys, tables.keys.size(),
                  [&](ColumnWriter &out) { put_key(out, tables.keys[from.keys]); });
}

} // namespace awaitscope::block
