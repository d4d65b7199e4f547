#include "awaitscope/recording/block.hpp"

#include <algorithm>

#include "awaitscope/recording/bytes.hpp"
#include "awaitscope/recording/format.hpp"
#include "sections.hpp"

namespace awaitscope::block {
namespace {

using format::Section;

void put_list(std::string &out, const std::vector<std::string> &words) {
  put_varint(out, words.size());
  for (const std::string &word : words) {
    put_text(out, word);
  }
}

std::vector<std::string> take_list(ByteReader &in) {
  std::vector<std::string> words;
  // Each word costs at least the byte that its length takes.
  for (std::uint64_t left = std::min<std::uint64_t>(in.varint(), in.left()); left > 0 && in.ok(); --left) {
    words.emplace_back(in.text());
  }
  return words;
}

/// Calls visit(kind, contents) for each section, until it says false.
template <typename Visit> bool each_section(std::string_view block, Visit visit) {
  ByteReader in(block);
  while (in.left() > 0) {
    const auto kind = static_cast<Section>(in.bytes(1).front());
    const std::string_view contents = in.text();
    if (!in.ok() || !visit(kind, contents)) {
      return false;
    }
  }
  return true;
}

} // namespace

void put_info(std::string &block, const RecordingInfo &info) {
  std::string out;
  put_text(out, info.tool_version);
  put_list(out, info.tool_command);
  put_text(out, info.host);
  put_varint(out, static_cast<std::uint32_t>(info.pid));
  put_text(out, info.executable);
  put_list(out, info.command);
  put_text(out, info.python);
  put_text(out, info.engine);
  put_varint(out, info.rate_millihertz);
  put_varint(out, static_cast<std::uint64_t>(info.unit_ns));
  put_text(out, info.event);
  put_varint(out, zigzag(info.start_ns));
  put_varint(out, zigzag(info.start_realtime_ns));
  put_varint(out, info.idle_threads ? 1 : 0);
  put_varint(out, info.task_names ? 1 : 0);
  put_list(out, info.import_paths);
  put_varint(out, info.python_presumed ? 1 : 0);
  put_varint(out, static_cast<std::uint64_t>(info.event_source));
  put_varint(out, info.events_as_time ? 1 : 0);
  put_varint(out, static_cast<std::uint64_t>(info.arguments));
  put_varint(out, info.shows_arguments ? 1 : 0);
  block += static_cast<char>(Section::info);
  put_text(block, out);
}

bool take_info(std::string_view contents, RecordingInfo &info) {
  ByteReader in(contents);
  info.tool_version = in.text();
  info.tool_command = take_list(in);
  info.host = in.text();
  info.pid = static_cast<ThreadId>(in.varint());
  info.executable = in.text();
  info.command = take_list(in);
  info.python = in.text();
  info.engine = in.text();
  info.rate_millihertz = in.varint();
  const std::uint64_t unit = in.varint();
  info.event = in.text();
  info.start_ns = unzigzag(in.varint());
  info.start_realtime_ns = unzigzag(in.varint());
  info.idle_threads = in.varint() != 0;
  info.task_names = in.varint() != 0;
  info.import_paths = take_list(in);
  info.python_presumed = in.left() > 0 && in.varint() != 0; // not in recordings of the first versions
  if (in.left() > 0) {                                      // recordings of before it have none
    info.event_source = in.varint() == 1 ? EventSource::cpu_time : EventSource::counters;
    info.events_as_time = in.varint() == 1;
  }
  if (in.left() > 0) { // nor have they these
    const std::uint64_t arguments = in.varint();
    info.arguments = arguments <= static_cast<std::uint64_t>(Arguments::traced) ? static_cast<Arguments>(arguments)
                                                                                : Arguments::none;
    info.shows_arguments = in.varint() == 1;
  }
  info.unit_ns = static_cast<std::int64_t>(unit);
  return in.ok() && unit > 0 && unit <= format::k_max_unit;
}

void put_totals(std::string &block, const Totals &totals) {
  const SamplingTotals &sampling = totals.sampling;
  std::string out;
  put_varint(out, totals.final ? 1 : 0);
  for (const std::uint64_t value :
       {sampling.ticks, sampling.samples, sampling.partial, sampling.retries,
        static_cast<std::uint64_t>(sampling.elapsed_ns), static_cast<std::uint64_t>(sampling.read_ns),
        static_cast<std::uint64_t>(sampling.longest_read_ns),
        sampling.process_cpu_ns ? *sampling.process_cpu_ns + 1 : 0, static_cast<std::uint64_t>(sampling.lost.size())}) {
    put_varint(out, value);
  }
  for (const std::uint64_t lost : sampling.lost) {
    put_varint(out, lost);
  }
  put_varint(out, sampling.processes);
  put_varint(out, sampling.slowest_millihertz);
  put_varint(out, static_cast<std::uint64_t>(sampling.tool_cpu_ns));
  put_varint(out, sampling.task_looks);
  put_varint(out, static_cast<std::uint64_t>(sampling.task_look_ns));
  put_varint(out, static_cast<std::uint64_t>(sampling.longest_task_look_ns));
  const EventCount events = sampling.process_events.value_or(EventCount{});
  for (const std::uint64_t value :
       {std::uint64_t{sampling.process_events ? 1U : 0U}, events.counted, events.enabled_ns, events.running_ns}) {
    put_varint(out, value);
  }
  put_varint(out, totals.process_cpu.size());
  for (const RecordedProcessCpu &process : totals.process_cpu) {
    put_varint(out, process.process);
    put_varint(out, process.cpu_ns);
  }
  put_varint(out, totals.engine);
  put_varint(out, static_cast<std::uint64_t>(sampling.busy_ns));
  put_varint(out, static_cast<std::uint64_t>(sampling.longest_busy_ns));
  block += static_cast<char>(Section::totals);
  put_text(block, out);
}

void put_import_paths(std::string &block, const std::vector<std::string> &paths) {
  std::string out;
  put_list(out, paths);
  block += static_cast<char>(Section::import_paths);
  put_text(block, out);
}

namespace {

bool take_process_cpu(ByteReader &in, const RecordingTables &tables, Totals &totals) {
  const std::uint64_t count = in.left() > 0 ? in.varint() : 0; // recordings of before it was counted have none
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    const std::uint64_t process = in.varint();
    const std::uint64_t cpu_ns = in.varint();
    if (process >= tables.texts.size() || cpu_ns > format::k_max_number) {
      return false;
    }
    totals.process_cpu.push_back({static_cast<TextId>(process), cpu_ns});
  }
  return in.ok();
}

bool take_engine(ByteReader &in, const RecordingTables &tables, Totals &totals) {
  const std::uint64_t engine = in.left() > 0 ? in.varint() : 0; // recordings of before it was written have none
  totals.engine = static_cast<TextId>(engine);
  return in.ok() && engine < tables.texts.size();
}

bool take_busy(ByteReader &in, SamplingTotals &sampling) {
  const bool known = in.left() > 0; // recordings of before it was counted have none
  const std::uint64_t all = known ? in.varint() : 0;
  const std::uint64_t longest = known ? in.varint() : 0;
  sampling.busy_ns = static_cast<std::int64_t>(all);
  sampling.longest_busy_ns = static_cast<std::int64_t>(longest);
  return in.ok() && std::max(all, longest) <= format::k_max_number;
}

bool take_totals(std::string_view contents, const RecordingTables &tables, Totals &totals) {
  ByteReader in(contents);
  SamplingTotals &sampling = totals.sampling;
  totals.final = in.varint() == 1;
  sampling.ticks = in.varint();
  sampling.samples = in.varint();
  sampling.partial = in.varint();
  sampling.retries = in.varint();
  const std::uint64_t elapsed = in.varint();
  const std::uint64_t read = in.varint();
  const std::uint64_t longest = in.varint();
  const std::uint64_t cpu = in.varint();
  const std::uint64_t kinds = in.varint();
  for (std::uint64_t i = 0; i < kinds && in.ok(); ++i) {
    const std::uint64_t lost = in.varint();
    // Reasons of a later version count as the last of those known here, so that none is forgotten.
    sampling.lost[std::min<std::uint64_t>(i, sampling.lost.size() - 1)] += lost;
  }
  std::uint64_t tool_cpu = 0;
  if (in.ok() && in.left() > 0) { // what the first recordings have not
    sampling.processes = in.varint();
    sampling.slowest_millihertz = in.varint();
    tool_cpu = in.varint();
  }
  sampling.tool_cpu_ns = static_cast<std::int64_t>(tool_cpu);
  const bool has_looks = in.left() > 0; // a recorder before there was this wrote none
  sampling.task_looks = has_looks ? in.varint() : 0;
  const std::uint64_t look = has_looks ? in.varint() : 0;
  const std::uint64_t longest_look = has_looks ? in.varint() : 0;
  sampling.task_look_ns = static_cast<std::int64_t>(look);
  sampling.longest_task_look_ns = static_cast<std::int64_t>(longest_look);
  if (in.left() > 0) { // recordings of before they were counted have none
    const bool known = in.varint() == 1;
    const EventCount events{in.varint(), in.varint(), in.varint()};
    sampling.process_events = known ? std::optional(events) : std::nullopt;
  }
  const EventCount events = sampling.process_events.value_or(EventCount{});
  sampling.elapsed_ns = static_cast<std::int64_t>(elapsed);
  sampling.read_ns = static_cast<std::int64_t>(read);
  sampling.longest_read_ns = static_cast<std::int64_t>(longest);
  sampling.process_cpu_ns = cpu == 0 ? std::nullopt : std::optional(cpu - 1);
  return take_process_cpu(in, tables, totals) && take_engine(in, tables, totals) && take_busy(in, sampling) &&
         std::max({elapsed, read, longest, cpu, tool_cpu, look, longest_look, events.counted, events.enabled_ns,
                   events.running_ns}) <= format::k_max_number;
}

} // namespace

bool take(std::string_view block, std::int64_t unit_ns, RecordingTables &tables, Contents &contents) {
  contents.samples.clear();
  contents.task_changes.clear();
  contents.seen_calls.clear();
  contents.traced_calls.clear();
  contents.lost_calls.clear();
  contents.totals.reset();
  contents.import_paths.clear();
  return each_section(block, [&](Section kind, std::string_view bytes) {
    switch (kind) {
    case Section::texts:
      return take_texts(bytes, tables);
    case Section::codes:
      return take_codes(bytes, tables);
    case Section::stacks:
      return take_stacks(bytes, tables);
    case Section::threads:
      return take_threads(bytes, tables);
    case Section::tasks:
      return take_tasks(bytes, tables);
    case Section::samples:
      return take_samples(bytes, unit_ns, tables, contents.samples);
    case Section::task_changes:
      return take_task_changes(bytes, unit_ns, tables, contents.task_changes);
    case Section::totals:
      return take_totals(bytes, tables, contents.totals.emplace());
    case Section::argument_keys:
      return take_keys(bytes, tables);
    case Section::requests:
      return take_requests(bytes, tables);
    case Section::function_facts:
      return take_facts(bytes, tables);
    case Section::seen_calls:
      return take_seen_calls(bytes, tables, contents.samples.size(), contents.seen_calls);
    case Section::traced_calls:
      return take_traced_calls(bytes, unit_ns, tables, contents.traced_calls);
    case Section::lost_calls:
      return take_lost_calls(bytes, tables, contents.lost_calls);
    case Section::import_paths: {
      ByteReader in(bytes);
      contents.import_paths = take_list(in);
      return in.ok();
    }
    case Section::info:
      break;
    }
    return true;
  });
}

std::optional<RecordingInfo> find_info(std::string_view block) {
  std::optional<RecordingInfo> found;
  const bool whole = each_section(block, [&](Section kind, std::string_view bytes) {
    return kind != Section::info || found || take_info(bytes, found.emplace());
  });
  return whole ? found : std::nullopt;
}

} // namespace awaitscope::block
