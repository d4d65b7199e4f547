#include "crafted.hpp"

#include <cstdint>
#include <functional>
#include <vector>

#include "awaitscope/model/limits.hpp"
#include "awaitscope/recording/columns.hpp"
#include "synthetic.hpp"

namespace awaitscope::testing {
namespace {

using format::Section;

/// Of rows that are much the same: this many in a block.
std::string section(Section kind, std::size_t columns, std::size_t rows,
                    const std::function<void(ColumnWriter &, std::size_t)> &put_row) {
  ColumnWriter out(kind, columns);
  for (std::size_t row = 0; row < rows; ++row) {
    put_row(out, row);
    out.end_row();
  }
  std::string block;
  out.append_to(block);
  return block;
}

std::string texts(std::size_t rows, std::size_t length) {
  return section(Section::texts, 3, rows, [&](ColumnWriter &out, std::size_t /*row*/) {
    out.put(0, 0);
    out.put(1, length);
    out.put_bytes(2, std::string(length, 'x'));
  });
}

std::string codes(std::size_t rows) {
  return section(Section::codes, 3, rows, [](ColumnWriter &out, std::size_t /*row*/) {
    out.put(0, 1);
    out.put(1, 1);
    out.put_signed(2, 1);
  });
}

/// Nodes, each the child of the one that is so far before it.
std::string nodes(std::size_t rows, std::size_t up) {
  return section(Section::stacks, 4, rows, [&](ColumnWriter &out, std::size_t /*row*/) {
    out.put(0, up);
    out.put(1, 0);
    out.put_signed(2, 0);
    out.put(3, 0);
  });
}

std::string one_thread() {
  return section(Section::threads, 3, 1, [](ColumnWriter &out, std::size_t /*row*/) {
    out.put_signed(0, 7);
    out.put_signed(1, 0);
    out.put(2, 0);
  });
}

std::string samples(std::size_t rows, const std::function<std::uint64_t(std::size_t)> &stack_of) {
  return section(Section::samples, 5, rows, [&](ColumnWriter &out, std::size_t row) {
    out.put_signed(0, 1);
    out.put(1, 0);
    out.put(2, 0);
    out.put(4, stack_of(row));
  });
}

/// Two chains as deep as a stack may be, and this many rows, now in the one and now in the other.
constexpr std::size_t k_alternating = 120'000;
constexpr std::size_t k_chain = limits::k_max_depth - 1;

std::uint64_t alternating(std::size_t row) { return (1 + row % 2) * k_chain; }

std::vector<std::string> two_chains() {
  const std::string functions = section(Section::codes, 3, 1000, [](ColumnWriter &out, std::size_t row) {
    out.put(0, 1);
    out.put(1, 1);
    out.put_signed(2, static_cast<std::int64_t>(row));
  });
  std::vector<std::string> blocks{texts(1, 20) + functions + one_thread()};
  for (std::size_t chain = 0; chain < 2; ++chain) {
    blocks.push_back(section(Section::stacks, 4, k_chain, [&](ColumnWriter &out, std::size_t row) {
      out.put(0, row == 0 ? chain * k_chain + 1 : 1); // the first is a child of the root
      out.put(1, chain * 500 + row % 500);
      out.put_signed(2, 0);
      out.put(3, 0);
    }));
  }
  return blocks;
}

std::string recording(const std::vector<std::string> &blocks) {
  std::vector<std::string> all{MemoryRecorder(invented_info()).blocks().front()};
  all.insert(all.end(), blocks.begin(), blocks.end());
  return recording_of(all);
}

std::vector<std::string> begun(std::size_t name_length) { return {texts(1, name_length) + codes(1) + one_thread()}; }

std::string one_deep_stack() {
  constexpr std::size_t k_rows = 60'000;
  std::vector<std::string> blocks = begun(20);
  for (std::size_t i = 0; i < 60; ++i) {
    blocks.push_back(nodes(k_rows, 1));
    blocks.push_back(samples(100, [&](std::size_t row) { return (i + 1) * k_rows - row; }));
  }
  return recording(blocks);
}

/// As deep as a stack may be, and each stack one of its own at that depth.
std::string many_deep_stacks(std::size_t name_length) {
  constexpr std::size_t k_rows = 60'000;
  constexpr std::size_t k_deep = limits::k_max_depth - 1;
  std::vector<std::string> blocks = begun(name_length);
  blocks.push_back(nodes(k_deep, 1));
  for (std::size_t block = 0; block < 2; ++block) {
    blocks.push_back(section(Section::stacks, 4, k_rows, [&](ColumnWriter &out, std::size_t row) {
      out.put(0, block * k_rows + row + 1); // the leaf of the one chain
      out.put(1, 0);
      out.put_signed(2, 0);
      out.put(3, 0);
    }));
    blocks.push_back(samples(k_rows, [&](std::size_t row) { return k_deep + block * k_rows + row + 1; }));
  }
  return recording(blocks);
}

std::string many_names() {
  std::vector<std::string> blocks = begun(20);
  for (std::size_t i = 0; i < 2000; ++i) {
    blocks.push_back(texts(15, 60'000));
  }
  return recording(blocks);
}

std::string long_names_of_many_codes() {
  std::vector<std::string> blocks = begun(60'000);
  for (std::size_t i = 0; i < 60; ++i) {
    blocks.push_back(codes(60'000));
  }
  return recording(blocks);
}

std::string many_rows() {
  std::vector<std::string> blocks = begun(20);
  blocks.push_back(nodes(10, 1));
  for (std::size_t i = 0; i < 10; ++i) {
    blocks.push_back(samples(60'000, [](std::size_t row) { return row % 10; }));
  }
  return recording(blocks);
}

/// What is printed for each sample.
std::string alternating_stacks() {
  std::vector<std::string> blocks = two_chains();
  for (std::size_t i = 0; i < 2; ++i) {
    blocks.push_back(samples(k_alternating / 2, alternating));
  }
  return recording(blocks);
}

/// Each sample is of new calls.
std::string alternating_calls() {
  std::vector<std::string> blocks = two_chains();
  for (std::size_t i = 0; i < 2; ++i) {
    constexpr std::uint64_t k_new_calls = 256 | 512;
    blocks.push_back(section(Section::samples, 14, k_alternating / 2, [&](ColumnWriter &out, std::size_t row) {
      out.put_signed(0, 1);
      out.put(1, 0);
      out.put(2, k_new_calls);
      out.put(4, alternating(row));
      out.put(9, 0);
      out.put(10, k_chain);
      out.put(11, k_chain);
      out.put(12, 0);
      out.put(13, 1);
    }));
  }
  return recording(blocks);
}

/// Each change of a task is of new calls, and it waits in between.
std::string alternating_task() {
  std::vector<std::string> blocks = two_chains();
  blocks.push_back(section(Section::tasks, 4, 1, [](ColumnWriter &out, std::size_t /*row*/) {
    out.put(0, 4096);
    out.put(1, 1);
    out.put(2, 0);
    out.put(3, 0);
  }));
  for (std::size_t i = 0; i < 2; ++i) {
    blocks.push_back(section(Section::task_changes, 9, k_alternating / 2, [&](ColumnWriter &out, std::size_t row) {
      constexpr std::uint64_t k_waiting = 2;
      out.put_signed(0, 1);
      out.put(1, 1);
      out.put(2, 1);
      out.put(3, k_waiting);
      out.put(4, alternating(row));
      out.put(5, 0);
      out.put(6, 1); // all calls are new
      out.put(7, 0);
      out.put(8, 0);
    }));
  }
  return recording(blocks);
}

} // namespace

const std::map<std::string, std::string (*)()> &crafted_recordings() {
  static const std::map<std::string, std::string (*)()> k_all{
      {"one_deep_stack", one_deep_stack},
      {"many_deep_stacks", [] { return many_deep_stacks(20); }},
      {"many_deep_stacks_with_long_names", [] { return many_deep_stacks(60'000); }},
      {"many_names", many_names},
      {"long_names_of_many_codes", long_names_of_many_codes},
      {"many_rows", many_rows},
      {"alternating_stacks", alternating_stacks},
      {"alternating_calls", alternating_calls},
      {"alternating_task", alternating_task}};
  return k_all;
}

} // namespace awaitscope::testing
