#include "corrupt.hpp"

#include <algorithm>
#include <array>

#include "awaitscope/export/blockers.hpp"
#include "awaitscope/export/cache.hpp"
#include "awaitscope/export/folded.hpp"
#include "awaitscope/export/hot.hpp"
#include "awaitscope/export/info.hpp"
#include "awaitscope/export/latency.hpp"
#include "awaitscope/export/queries.hpp"
#include "awaitscope/export/speedscope.hpp"
#include "awaitscope/recording/format.hpp"
#include "awaitscope/report/hot.hpp"

namespace awaitscope::testing {
namespace {

bool same(const SampleRun &a, const SampleRun &b) {
  return a.first_ns == b.first_ns && a.last_ns == b.last_ns && a.count == b.count && a.cpu_ns == b.cpu_ns &&
         a.events == b.events && a.thread == b.thread && a.task == b.task && a.stack == b.stack && a.state == b.state;
}

void show_everything(const RecordingReader &reader, const StackCosts &costs) {
  const RecordingTables &tables = reader.tables();
  FrameNames names(tables.codes, reader.info().import_paths, FileNames::importable, Lines::executing);
  ProfileOptions options;
  options.idle = options.loop_frames = options.task_frames = options.task_names = true;
  for (const Metric metric : {Metric::wall, Metric::cpu, Metric::events, Metric::await}) {
    options.metric = metric;
    folded_text(stack_profile(tables, costs, options), names);
  }
  const HotFunctions hot = hot_functions(tables, costs, options);
  hot_text(hot, {}, reader, names);
  hot_json(hot, Metric::wall, reader.info(), tables.codes);
  info_text(reader, costs, TableLayout::k_usual_width);
  info_json(reader, costs);
}

} // namespace

bool Outcome::is_beginning_of(const Outcome &whole) const {
  return samples.size() <= whole.samples.size() &&
         std::equal(samples.begin(), samples.end(), whole.samples.begin(), same);
}

Outcome read_samples(const std::string &bytes) {
  Outcome outcome;
  Result<RecordingReader> first = RecordingReader::open(std::make_unique<MemorySource>(bytes));
  if (!first) {
    outcome.text = "error: " + first.error().what;
    return outcome;
  }
  for (Result<bool> more = first->next(); more && *more; more = first->next()) {
    outcome.samples.insert(outcome.samples.end(), first->samples().begin(), first->samples().end());
  }
  constexpr std::array<const char *, 4> k_endings{"whole", "open", "torn", "damaged"};
  outcome.text = k_endings[static_cast<std::size_t>(first->ending())];
  return outcome;
}

Outcome read_through(const std::string &bytes) {
  Outcome outcome = read_samples(bytes);
  if (outcome.text.starts_with("error: ")) {
    return outcome;
  }
  Result<RecordingReader> second = RecordingReader::open(std::make_unique<MemorySource>(bytes));
  const Result<StackCosts> costs = read_costs(*second, {});
  if (costs) {
    show_everything(*second, *costs);
  }
  Result<RecordingReader> third = RecordingReader::open(std::make_unique<MemorySource>(bytes));
  if (const Result<Latencies> latencies = read_latencies(*third, {}, {})) {
    latency_json(*latencies, third->tables().codes);
  }
  Result<RecordingReader> calls = RecordingReader::open(std::make_unique<MemorySource>(bytes));
  if (const Result<CacheOpportunities> found = read_cache_opportunities(*calls, {}, {})) {
    cache_json(*found, calls->tables().codes);
  }
  Result<RecordingReader> of_loops = RecordingReader::open(std::make_unique<MemorySource>(bytes));
  if (const Result<LoopHolds> holds = read_loop_holds(*of_loops, {}, {}, 1'000'000)) {
    blockers_json(*holds, of_loops->tables());
  }
  Result<RecordingReader> statements = RecordingReader::open(std::make_unique<MemorySource>(bytes));
  if (const Result<QueryCosts> queries = read_query_costs(*statements, {}, {})) {
    queries_json(*queries, statements->tables().codes);
  }
  Result<RecordingReader> fourth = RecordingReader::open(std::make_unique<MemorySource>(bytes));
  ProfileOptions suspended;
  suspended.metric = Metric::await;
  if (const Result<Timeline> timeline = read_timeline(*fourth, {}, suspended)) {
    speedscope_json(*fourth, *timeline, suspended, {}, "corrupted");
  }
  return outcome;
}

std::string corrupt(std::string bytes, std::mt19937_64 &random) {
  for (std::uint64_t left = 1 + random() % 4; left > 0 && !bytes.empty(); --left) {
    const std::size_t at = random() % bytes.size();
    const std::size_t size = 1 + random() % std::min<std::size_t>(64, bytes.size() - at);
    switch (random() % 6) {
    case 0:
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << (random() % 8)));
      break;
    case 1:
      bytes.replace(at, size, size, static_cast<char>(random() % 2 == 0 ? 0 : 0xFF));
      break;
    case 2:
      bytes.erase(at, size);
      break;
    case 3:
      bytes.insert(at, bytes.substr(at, size));
      break;
    case 4:
      bytes.resize(at);
      break;
    default:
      for (std::size_t i = at; i < at + size; ++i) {
        bytes[i] = static_cast<char>(random());
      }
      break;
    }
  }
  return bytes;
}

std::vector<std::string> corrupt_blocks(std::vector<std::string> blocks, std::mt19937_64 &random) {
  std::string &block = blocks[random() % blocks.size()];
  block = corrupt(block, random);
  if (block.empty()) {
    block = "?";
  }
  block.resize(std::min(block.size(), format::k_max_block));
  return blocks;
}

} // namespace awaitscope::testing
