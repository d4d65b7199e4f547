#include "awaitscope/recording/writer.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "awaitscope/model/limits.hpp"
#include "awaitscope/recording/format.hpp"
#include "awaitscope/support/clock.hpp"
#include "awaitscope/support/text.hpp"

namespace awaitscope {
namespace {

// Looked at four times a second, so that nothing waits for more than three quarters of one.
constexpr std::int64_t k_patience_ns = k_ns_per_second / 2;
constexpr std::int64_t k_totals_ns = k_ns_per_second;

/// The words that fit into a block beside others.
std::vector<std::string> bounded(std::vector<std::string> words) {
  std::size_t room = format::k_max_text;
  const auto end = std::find_if(words.begin(), words.end(), [&](const std::string &word) {
    const bool fits = word.size() < room;
    room -= fits ? word.size() : 0;
    return !fits;
  });
  words.erase(end, words.end());
  return words;
}

// Of a stack that is too deep, beside an unreadable frame.
constexpr std::ptrdiff_t k_kept_of_root = limits::k_max_depth / 2;
constexpr std::ptrdiff_t k_kept_of_leaf = limits::k_max_depth / 2 - 1;

/// Where in what is kept of its stack the new calls begin.
std::uint32_t new_from_of(const TaskChange &change) {
  const std::size_t depth = change.frames.size();
  if (depth <= limits::k_max_depth || change.new_from <= k_kept_of_root || change.new_from > depth) {
    return change.new_from;
  }
  const std::size_t left_out = depth - limits::k_max_depth + 1;
  const std::size_t moved = change.new_from < left_out ? 0 : change.new_from - left_out;
  return static_cast<std::uint32_t>(std::max<std::size_t>(moved + 1, k_kept_of_root));
}

} // namespace

std::size_t RecordingWriter::TaskKeyHash::operator()(const TaskKey &key) const {
  constexpr std::uint64_t k_mix = 0x9E3779B97F4A7C15ULL;
  std::uint64_t hash = key.address * k_mix;
  hash = (hash ^ key.coroutine) * k_mix;
  hash = (hash ^ key.name) * k_mix;
  hash = (hash ^ key.process) * k_mix;
  return hash ^ (hash >> 32U);
}

RecordingWriter::RecordingWriter(RecordingInfo info, const CodeTable &codes, PutBlock put)
    : codes_(codes), put_(std::move(put)), start_ns_(info.start_ns), period_ns_(info.period_ns()),
      unit_ns_(std::clamp(period_ns_ / 100, format::k_min_unit, format::k_max_unit)),
      event_unit_(info.events_as_time ? static_cast<std::uint64_t>(unit_ns_) : 1),
      import_paths_(bounded(info.import_paths)), last_totals_ns_(info.start_ns) {
  text_ids_.emplace(std::string(), 0);
  info.unit_ns = unit_ns_;
  info.tool_command = bounded(std::move(info.tool_command));
  info.command = bounded(std::move(info.command));
  info.import_paths = import_paths_;
  std::string block;
  block::put_info(block, info);
  put_(std::move(block));
}

TextId RecordingWriter::text(const std::string &text) {
  if (text.size() > format::k_max_text) {
    return this->text(valid_utf8(std::string_view(text).substr(0, format::k_max_text - 16)));
  }
  const auto known = text_ids_.find(text);
  if (known != text_ids_.end()) {
    return known->second;
  }
  const bool full = tables_.texts.size() + 1 >= limits::k_max_texts ||
                    tables_.text_bytes + text.size() + limits::k_left_out.size() > limits::k_max_text_bytes;
  if (full && text != limits::k_left_out) {
    return this->text(std::string(limits::k_left_out));
  }
  const auto id = static_cast<TextId>(tables_.texts.size());
  text_ids_.emplace(text, id);
  tables_.texts.push_back(text);
  tables_.text_bytes += text.size();
  return id;
}

StackId RecordingWriter::stack(const std::vector<Frame> &frames) {
  if (frames.size() <= limits::k_max_depth) {
    return tables_.stacks.intern(frames);
  }
  std::vector<Frame> ends(frames.begin(), frames.begin() + k_kept_of_root);
  ends.push_back(k_unreadable_frame);
  ends.insert(ends.end(), frames.end() - k_kept_of_leaf, frames.end());
  return tables_.stacks.intern(ends);
}

void RecordingWriter::name_process(ThreadId pid, const std::string &name) { processes_[pid] = text(name); }

void RecordingWriter::add_import_paths(const std::vector<std::string> &paths) {
  for (const std::string &path : bounded(paths)) {
    if (import_paths_.size() < format::k_max_import_paths &&
        std::find(import_paths_.begin(), import_paths_.end(), path) == import_paths_.end()) {
      import_paths_.push_back(path);
      fresh_import_paths_.push_back(path);
    }
  }
}

std::uint32_t RecordingWriter::thread(ThreadId tid, const std::string &name, TextId process) {
  const auto known = thread_ids_.find(tid);
  if (known != thread_ids_.end() && tables_.threads[known->second].process == process &&
      tables_.texts[tables_.threads[known->second].name] == name) {
    return known->second;
  }
  constexpr std::size_t k_last = limits::k_max_threads - 1;
  if (tables_.threads.size() > k_last) {
    return k_last;
  }
  const auto next = static_cast<std::uint32_t>(tables_.threads.size());
  if (next == k_last) { // stands for all others from now on
    tables_.threads.push_back({0, text(std::string(limits::k_left_out)), 0});
  } else {
    thread_ids_[tid] = next;
    tables_.threads.push_back({tid, text(name), process});
  }
  threads_.emplace_back();
  return next;
}

std::uint32_t RecordingWriter::task(const TaskKey &key) {
  const auto known = task_ids_.find(key);
  if (known != task_ids_.end()) {
    return known->second;
  }
  const auto next = static_cast<std::uint32_t>(tables_.tasks.size());
  constexpr std::size_t k_last = limits::k_max_tasks - 1;
  if (next > k_last) {
    return k_last;
  }
  const TaskKey kept = next < k_last ? key : TaskKey{0, key.coroutine, text(std::string(limits::k_left_out)), 0};
  task_ids_.emplace(kept, next);
  tables_.tasks.push_back({kept.address, static_cast<CodeId>(kept.coroutine == 0 ? 0 : kept.coroutine - 1), kept.name,
                           kept.coroutine == 0, kept.process});
  return next;
}

std::uint32_t RecordingWriter::request(ThreadId process, const SampledRequest &request) {
  if (request.id == 0 || request.route == nullptr) {
    return 0;
  }
  Request &known = requests_[process][request.id];
  const auto next = static_cast<std::uint32_t>(tables_.requests.size());
  if (known.route == request.route || next >= limits::k_max_requests) {
    return known.last;
  }
  known.first = known.first == 0 ? next : known.first;
  known.last = next;
  known.route = request.route;
  tables_.requests.push_back({known.first, text(request.route->method), text(request.route->route),
                              text(request.route->view), request.route->resolved, request.in_task, process_of(process),
                              text(request.route->path), text(request.route->id)});
  return next;
}

TextId RecordingWriter::process_of(ThreadId pid) const {
  const auto named = processes_.find(pid);
  return named == processes_.end() ? 0 : named->second;
}

/// Something of that time is about to wait to be put.
void RecordingWriter::begin_rows(std::int64_t time_ns) {
  if (rows_.empty() && changes_.empty() && traced_calls_.empty()) {
    oldest_ns_ = time_ns;
  }
}

void RecordingWriter::add(const Sample &sample, const std::string &thread_name) {
  const std::vector<Frame> &frames = sample.stack.frames;
  SampleRun row;
  const TextId process = process_of(sample.process);
  row.thread = thread(sample.tid, thread_name, process);
  row.stack = stack(frames);
  row.state = sample.state;
  if (sample.stack.in_task) {
    const auto border = std::find_if(frames.rbegin(), frames.rend(),
                                     [](const Frame &frame) { return frame.kind == FrameKind::task_border; });
    row.task = task(
        {sample.task, border == frames.rend() ? 0 : std::uint64_t{border->code} + 1, text(sample.task_name), process});
  }
  row.request = request(sample.process, sample.request);
  if (sample.gil_holder.tid != 0) {
    row.gil_holder = thread(sample.gil_holder.tid, sample.gil_holder.thread_name, process) + 1;
  }
  row.statement = sample.statement == nullptr ? 0 : text(*sample.statement);
  row.first_ns = row.last_ns = std::max<std::int64_t>(0, sample.time_ns - start_ns_);
  row.count = sample.weight;
  const SampledCalls &calls = sample.calls;
  const std::int64_t before_ns = calls.before_ns == 0 || calls.all_same() ? -1 : calls.before_ns - start_ns_;
  row.calls = {calls.known,        calls.outer, calls.count, calls.same, calls.alike, std::min(before_ns, row.first_ns),
               calls.other_context};
  samples_ += sample.weight;
  Thread &known = threads_[row.thread];
  row.cpu_ns = known.cpu_rest_ns + sample.cpu_ns;
  known.cpu_rest_ns = row.cpu_ns % static_cast<std::uint64_t>(unit_ns_);
  row.cpu_ns -= known.cpu_rest_ns;
  known.events_rest += sample.events;
  row.events = known.events_rest / event_unit_;
  known.events_rest %= event_unit_;

  if (known.row != k_none && sample.weight != 0) {
    SampleRun &run = rows_[known.row];
    // One tick is somewhere in each period, so the next is less than two periods away, of the rate at that time.
    const std::int64_t period = period_ns_ * static_cast<std::int64_t>(sample.weight);
    const bool goes_on = row.first_ns >= run.last_ns && row.first_ns - run.last_ns <= 2 * period;
    const bool same_calls = run.calls.known == calls.known &&
                            (!calls.known || (calls.all_same() && !calls.other_context)) &&
                            run.calls.outer == calls.outer && run.calls.count == calls.count;
    if (goes_on && same_calls && run.stack == row.stack && run.task == row.task && run.state == row.state &&
        run.request == row.request && run.statement == row.statement && run.gil_holder == row.gil_holder) {
      run.last_ns = row.last_ns;
      run.count += row.count;
      run.cpu_ns += row.cpu_ns;
      run.events += row.events;
      return;
    }
  }
  begin_rows(sample.time_ns);
  known.row = rows_.size();
  rows_.push_back(row);
  add_arguments(sample);
  if (rows_.size() >= format::k_enough_rows || seen_calls_.size() >= format::k_enough_rows) {
    cut(nullptr);
  }
}

KeyId RecordingWriter::key(const ArgumentKey &key, const std::string &shown) {
  const auto known = key_ids_.find(key);
  if (known != key_ids_.end()) {
    return known->second;
  }
  if (tables_.keys.size() >= limits::k_max_argument_keys) {
    return 0;
  }
  const auto next = static_cast<KeyId>(tables_.keys.size());
  key_ids_.emplace(key, next);
  tables_.keys.push_back({key, text(shown)});
  return next;
}

/// Of the last row.
void RecordingWriter::add_arguments(const Sample &sample) {
  for (const SeenCall &call : sample.arguments) {
    if (call.from_leaf <= limits::k_max_depth && seen_calls_.size() < format::k_max_rows) {
      seen_calls_.push_back(
          {static_cast<std::uint32_t>(rows_.size() - 1), call.from_leaf, key(call.key, call.shown), call.key.code});
    }
  }
}

void RecordingWriter::add(const FunctionFact &fact) {
  if (tables_.facts.size() < limits::k_max_facts) {
    tables_.facts.push_back({fact.code, fact.kind, text(fact.name)});
  }
}

void RecordingWriter::add(const TracedCall &call, const std::string &thread_name) {
  begin_rows(call.begin_ns);
  RecordedTracedCall row;
  row.begin_ns = std::max<std::int64_t>(0, call.begin_ns - start_ns_);
  row.duration_ns = call.duration_ns;
  row.cpu_ns = call.cpu_ns;
  row.returned = call.returned;
  row.thread = thread(call.tid, thread_name, process_of(call.process));
  row.key = key(call.key, {});
  row.code = call.key.code;
  row.return_traits = call.return_traits;
  row.raised = call.raised;
  row.unfinished = call.unfinished;
  row.inner_ns = call.inner_ns;
  traced_calls_.push_back(row);
  if (traced_calls_.size() >= format::k_enough_rows) {
    cut(nullptr);
  }
}

void RecordingWriter::add(const TaskChange &change) {
  begin_rows(change.at_ns);
  RecordedTaskChange row;
  row.at_ns = std::max<std::int64_t>(0, change.at_ns - start_ns_);
  row.before_ns = change.before_ns == 0 ? -1 : std::clamp<std::int64_t>(change.before_ns - start_ns_, 0, row.at_ns);
  row.cpu_ns = change.cpu_ns;
  const TextId process = process_of(change.process);
  row.task = task({change.task, std::uint64_t{change.coroutine} + 1, text(change.name), process});
  row.stack = stack(change.frames);
  row.new_from = new_from_of(change);
  row.state = change.state;
  row.request = request(change.process, change.request);
  if (change.root.task != 0) {
    row.root = task({change.root.task, std::uint64_t{change.root.coroutine} + 1, text(change.root.name), process});
  }
  if (change.root.tid != 0) {
    row.root_thread = thread(change.root.tid, change.root.thread_name, process) + 1;
  }
  changes_.push_back(row);
  if (changes_.size() >= format::k_enough_rows) {
    cut(nullptr);
  }
}

void RecordingWriter::cut(const block::Totals *totals) {
  while (code_texts_.size() < codes_.size()) {
    const CodeInfo &code = codes_.at(static_cast<CodeId>(code_texts_.size()));
    code_texts_.push_back({text(code.function), text(code.file)});
  }
  std::string block;
  while (!block::put_tables(block, tables_, codes_, code_texts_, written_)) {
    put_(std::exchange(block, {}));
  }
  block::put_samples(block, rows_, unit_ns_);
  block::put_task_changes(block, changes_, unit_ns_);
  block::put_seen_calls(block, seen_calls_);
  block::put_traced_calls(block, traced_calls_, unit_ns_);
  block::put_lost_calls(block, lost_calls_);
  if (totals != nullptr) {
    block::put_totals(block, *totals);
  }
  if (!fresh_import_paths_.empty()) {
    block::put_import_paths(block, bounded(std::exchange(fresh_import_paths_, {})));
  }
  rows_.clear();
  changes_.clear();
  seen_calls_.clear();
  traced_calls_.clear();
  lost_calls_.clear();
  for (Thread &thread : threads_) {
    thread.row = k_none;
  }
  if (!block.empty()) {
    put_(std::move(block));
  }
}

block::Totals RecordingWriter::totals_of(const SamplingTotals &totals, bool final) const {
  std::map<TextId, std::uint64_t> cpu; // processes may have the same name
  for (const ProcessCpu &process : totals.process_cpu) {
    const auto named = processes_.find(process.process);
    cpu[named == processes_.end() ? 0 : named->second] += process.cpu_ns;
  }
  block::Totals made{totals, {}, engine_, final};
  for (const auto &[process, cpu_ns] : cpu) {
    made.process_cpu.push_back({process, cpu_ns});
  }
  return made;
}

void RecordingWriter::keep_up(std::int64_t now_ns, const SamplingTotals &totals) {
  const bool waiting = !rows_.empty() || !changes_.empty() || !traced_calls_.empty();
  if (waiting ? now_ns - oldest_ns_ < k_patience_ns : now_ns - last_totals_ns_ < k_totals_ns) {
    return;
  }
  last_totals_ns_ = now_ns;
  const block::Totals so_far = totals_of(totals, false);
  cut(&so_far);
}

void RecordingWriter::finish(const SamplingTotals &totals) {
  const block::Totals all = totals_of(totals, true);
  cut(&all);
}

} // namespace awaitscope
