#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "awaitscope/recording/info.hpp"
#include "awaitscope/recording/tables.hpp"

/// One block, in both directions: each pair of functions stands side by side, because they must agree. What decodes trusts
/// nothing: it checks each number against the tables before it is used, and says false at the first that cannot be.
namespace awaitscope::block {

/// How much of the tables has been written, or is to be written next.
struct Extent {
  std::size_t codes = 0;
  std::size_t stacks = 1;
  std::size_t texts = 1;
  std::size_t threads = 0;
  std::size_t tasks = 1;
  std::size_t keys = 1;
  std::size_t facts = 0;
  std::size_t requests = 1;
};

/// A code's texts, as numbers: tables.codes holds them as strings.
struct CodeTexts {
  TextId function = 0;
  TextId file = 0;
};

struct Totals {
  SamplingTotals sampling;
  std::vector<RecordedProcessCpu> process_cpu; ///< in place of that of `sampling`
  TextId engine = 0;                           ///< that is in use now; 0: as the info says
  bool final = false;
};

/// What a block holds besides additions to the tables.
struct Contents {
  std::vector<SampleRun> samples;
  std::vector<RecordedTaskChange> task_changes;
  std::vector<RecordedSeenCall> seen_calls;
  std::vector<RecordedTracedCall> traced_calls;
  std::vector<RecordedLostCalls> lost_calls;
  std::optional<Totals> totals;
  std::vector<std::string> import_paths; ///< of processes that were attached to since the block before
};

void put_info(std::string &block, const RecordingInfo &info);
bool take_info(std::string_view contents, RecordingInfo &info);

/// Appends what the tables have beyond `from`, as far as a block has room for it, and moves `from` on. True if that was all.
/// `codes` and `code_texts` are of the same size.
bool put_tables(std::string &block, const RecordingTables &tables, const CodeTable &codes,
                const std::vector<CodeTexts> &code_texts, Extent &from);

/// Times are cut to whole units.
void put_samples(std::string &block, const std::vector<SampleRun> &rows, std::int64_t unit_ns);
void put_task_changes(std::string &block, const std::vector<RecordedTaskChange> &rows, std::int64_t unit_ns);
void put_seen_calls(std::string &block, const std::vector<RecordedSeenCall> &rows);
void put_traced_calls(std::string &block, const std::vector<RecordedTracedCall> &rows, std::int64_t unit_ns);
void put_lost_calls(std::string &block, const std::vector<RecordedLostCalls> &rows);
void put_totals(std::string &block, const Totals &totals);
void put_import_paths(std::string &block, const std::vector<std::string> &paths);

/// Adds to the tables and replaces the contents.
bool take(std::string_view block, std::int64_t unit_ns, RecordingTables &tables, Contents &contents);

/// The info section of a block, if there is one.
std::optional<RecordingInfo> find_info(std::string_view block);

} // namespace awaitscope::block
