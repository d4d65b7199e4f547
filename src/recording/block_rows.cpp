#include "sections.hpp"

#include <algorithm>

#include "awaitscope/recording/columns.hpp"

namespace awaitscope::block {

using format::Section;

namespace {

// What a sample's bits say.
constexpr std::uint64_t k_idle = 1;
constexpr std::uint64_t k_in_task = 2;
constexpr std::uint64_t k_has_cpu = 4;
constexpr std::uint64_t k_has_events = 8;
constexpr std::uint64_t k_repeats = 16;
constexpr std::uint64_t k_counts_none = 32;
constexpr std::uint64_t k_runnable = 64;
constexpr std::uint64_t k_blocked = 128;
constexpr std::uint64_t k_knows_calls = 256;
constexpr std::uint64_t k_new_calls = 512;
constexpr std::uint64_t k_has_request = 1024;
constexpr std::uint64_t k_other_context = 2048;
constexpr std::uint64_t k_has_statement = 4096;
constexpr std::uint64_t k_gil = 8192;

std::uint64_t bits_of(ThreadState state) {
  switch (state) {
  case ThreadState::running:
    return 0;
  case ThreadState::runnable:
    return k_runnable;
  case ThreadState::gil:
    return k_gil | k_blocked; // readers that do not know the first take it for the second
  case ThreadState::blocked:
    return k_blocked;
  case ThreadState::idle:
    break;
  }
  return k_idle;
}

ThreadState state_of(std::uint64_t bits) {
  return (bits & k_idle) != 0       ? ThreadState::idle
         : (bits & k_gil) != 0      ? ThreadState::gil
         : (bits & k_blocked) != 0  ? ThreadState::blocked
         : (bits & k_runnable) != 0 ? ThreadState::runnable
                                    : ThreadState::running;
}

enum SampleColumn : std::size_t {
  at_time,
  at_thread,
  at_bits,
  at_task,
  at_stack,
  at_cpu,
  at_events,
  at_count,
  at_span,
  at_outer_calls,
  at_calls,
  at_new_calls,
  at_alike_calls,
  at_calls_gap,
  at_request,
  at_statement,
  at_gil_holder,
  sample_columns
};

constexpr std::uint64_t k_max_units = format::k_max_number / format::k_max_unit;

std::uint64_t bits_of(const RecordedCalls &calls) {
  return (calls.known ? k_knows_calls : 0) |
         (calls.known && calls.same != calls.outer + calls.count ? k_new_calls : 0) |
         (calls.known && calls.other_context ? k_other_context : 0);
}

void put_calls(ColumnWriter &out, const SampleRun &row, std::int64_t unit_ns) {
  const RecordedCalls &calls = row.calls;
  if (!calls.known) {
    return;
  }
  out.put(at_outer_calls, calls.outer);
  out.put(at_calls, calls.count);
  if (calls.same != calls.outer + calls.count) {
    out.put(at_new_calls, calls.outer + calls.count - calls.same);
    out.put(at_alike_calls, calls.alike);
    out.put(at_calls_gap, calls.before_ns < 0
                              ? 0
                              : static_cast<std::uint64_t>(row.first_ns / unit_ns - calls.before_ns / unit_ns) + 1);
  }
}

/// False if they cannot be.
bool take_calls(ColumnReader &in, std::uint64_t bits, std::int64_t unit_ns, SampleRun &row) {
  if ((bits & k_knows_calls) == 0) {
    return true;
  }
  constexpr std::uint64_t k_most_calls = std::uint64_t{1} << 20U;
  const std::uint64_t outer = in.take(at_outer_calls);
  const std::uint64_t count = in.take(at_calls);
  const bool any_new = (bits & k_new_calls) != 0;
  const std::uint64_t fresh = any_new ? in.take(at_new_calls) : 0;
  const std::uint64_t alike = any_new ? in.take(at_alike_calls) : 0;
  const std::uint64_t gap = any_new ? in.take(at_calls_gap) : 0;
  if (std::max(outer, count) > k_most_calls || fresh > outer + count || alike > fresh || gap > k_max_units) {
    return false;
  }
  row.calls = {true,
               static_cast<std::uint32_t>(outer),
               static_cast<std::uint32_t>(count),
               static_cast<std::uint32_t>(outer + count - fresh),
               static_cast<std::uint32_t>(alike),
               gap == 0 ? -1 : std::max<std::int64_t>(0, row.first_ns - static_cast<std::int64_t>(gap - 1) * unit_ns),
               (bits & k_other_context) != 0};
  return true;
}

} // namespace

void put_samples(std::string &block, const std::vector<SampleRun> &rows, std::int64_t unit_ns) {
  ColumnWriter out(Section::samples, sample_columns);
  std::int64_t before = 0;
  for (const SampleRun &row : rows) {
    const std::int64_t time = row.first_ns / unit_ns;
    out.put_signed(at_time, time - before);
    before = time;
    out.put(at_thread, row.thread);
    out.put(at_bits, bits_of(row.state) | (row.task != 0 ? k_in_task : 0) | (row.cpu_ns != 0 ? k_has_cpu : 0) |
                         (row.events != 0 ? k_has_events : 0) | (row.count > 1 ? k_repeats : 0) |
                         (row.count == 0 ? k_counts_none : 0) | bits_of(row.calls) |
                         (row.request != 0 ? k_has_request : 0) | (row.statement != 0 ? k_has_statement : 0));
    if (row.request != 0) {
      out.put(at_request, row.request);
    }
    if (row.statement != 0) {
      out.put(at_statement, row.statement);
    }
    if (row.state == ThreadState::gil) {
      out.put(at_gil_holder, row.gil_holder);
    }
    out.put(at_stack, row.stack);
    if (row.task != 0) {
      out.put(at_task, row.task);
    }
    if (row.cpu_ns != 0) {
      out.put(at_cpu, row.cpu_ns / static_cast<std::uint64_t>(unit_ns));
    }
    if (row.events != 0) {
      out.put(at_events, row.events);
    }
    if (row.count > 1) {
      out.put(at_count, row.count - 2);
      out.put(at_span, static_cast<std::uint64_t>(row.last_ns / unit_ns - time));
    }
    put_calls(out, row, unit_ns);
    out.end_row();
  }
  out.append_to(block);
}

bool take_samples(std::string_view contents, std::int64_t unit_ns, const RecordingTables &tables,
                  std::vector<SampleRun> &rows) {
  ColumnReader in(contents, sample_columns);
  rows.reserve(in.rows());
  std::uint64_t time = 0;
  for (std::size_t i = 0; i < in.rows(); ++i) {
    SampleRun row;
    time += static_cast<std::uint64_t>(in.take_signed(at_time));
    const std::uint64_t thread = in.take(at_thread);
    const std::uint64_t bits = in.take(at_bits);
    const std::uint64_t stack = in.take(at_stack);
    const std::uint64_t task = (bits & k_in_task) != 0 ? in.take(at_task) : 0;
    const std::uint64_t cpu = (bits & k_has_cpu) != 0 ? in.take(at_cpu) : 0;
    row.events = (bits & k_has_events) != 0 ? in.take(at_events) : 0;
    row.count = (bits & k_repeats) != 0 ? in.take(at_count) + 2 : (bits & k_counts_none) != 0 ? 0 : 1;
    const std::uint64_t span = (bits & k_repeats) != 0 ? in.take(at_span) : 0;
    const std::uint64_t request = (bits & k_has_request) != 0 ? in.take(at_request) : 0;
    const std::uint64_t statement = (bits & k_has_statement) != 0 ? in.take(at_statement) : 0;
    const std::uint64_t gil_holder = (bits & k_gil) != 0 ? in.take(at_gil_holder) : 0;
    if (thread >= tables.threads.size() || gil_holder > tables.threads.size() || stack >= tables.stacks.size() ||
        task >= tables.tasks.size() || request >= tables.requests.size() || statement >= tables.texts.size() ||
        std::max({time, span, cpu}) > k_max_units || std::max(row.count, row.events) > format::k_max_number) {
      return false;
    }
    row.first_ns = static_cast<std::int64_t>(time) * unit_ns;
    row.last_ns = static_cast<std::int64_t>(time + span) * unit_ns;
    row.cpu_ns = cpu * static_cast<std::uint64_t>(unit_ns);
    row.thread = static_cast<std::uint32_t>(thread);
    row.task = static_cast<std::uint32_t>(task);
    row.stack = static_cast<StackId>(stack);
    row.state = state_of(bits);
    row.request = static_cast<std::uint32_t>(request);
    row.statement = static_cast<TextId>(statement);
    row.gil_holder = static_cast<std::uint32_t>(gil_holder);
    if (!take_calls(in, bits, unit_ns, row)) {
      return false;
    }
    rows.push_back(row);
  }
  return in.ok();
}

namespace {

enum ChangeColumn : std::size_t {
  change_time,
  change_gap,
  change_task,
  change_state,
  change_stack,
  change_cpu,
  change_new_from,
  change_root,
  change_root_thread,
  change_request,
  change_columns
};

} // namespace

void put_task_changes(std::string &block, const std::vector<RecordedTaskChange> &rows, std::int64_t unit_ns) {
  ColumnWriter out(Section::task_changes, change_columns);
  std::int64_t before = 0;
  for (const RecordedTaskChange &row : rows) {
    const std::int64_t time = row.at_ns / unit_ns;
    out.put_signed(change_time, time - before);
    before = time;
    out.put(change_gap, row.before_ns < 0 ? 0 : static_cast<std::uint64_t>(time - row.before_ns / unit_ns) + 1);
    out.put(change_task, row.task);
    out.put(change_state, static_cast<std::uint64_t>(row.state));
    out.put(change_stack, row.stack);
    out.put(change_cpu, row.cpu_ns / static_cast<std::uint64_t>(unit_ns));
    out.put(change_new_from, static_cast<std::uint32_t>(row.new_from + 1)); // "no new call" wraps to 0
    out.put(change_root, row.root);
    out.put(change_root_thread, row.root_thread);
    out.put(change_request, row.request);
    out.end_row();
  }
  out.append_to(block);
}

bool take_task_changes(std::string_view contents, std::int64_t unit_ns, const RecordingTables &tables,
                       std::vector<RecordedTaskChange> &rows) {
  ColumnReader in(contents, change_columns);
  rows.reserve(in.rows());
  std::uint64_t time = 0;
  for (std::size_t i = 0; i < in.rows(); ++i) {
    time += static_cast<std::uint64_t>(in.take_signed(change_time));
    const std::uint64_t gap = in.take(change_gap);
    const std::uint64_t task = in.take(change_task);
    const std::uint64_t state = in.take(change_state);
    const std::uint64_t stack = in.take(change_stack);
    const std::uint64_t cpu = in.take(change_cpu);
    const auto new_from = static_cast<std::uint32_t>(in.take(change_new_from));
    const std::uint64_t root = in.has(change_root) ? in.take(change_root) : 0;
    const std::uint64_t thread = in.has(change_root_thread) ? in.take(change_root_thread) : 0;
    const std::uint64_t request = in.has(change_request) ? in.take(change_request) : 0;
    if (request >= tables.requests.size() || root >= tables.tasks.size() || thread > tables.threads.size() ||
        task == 0 || task >= tables.tasks.size() || tables.tasks[task].unknown || stack >= tables.stacks.size() ||
        state > static_cast<std::uint64_t>(TaskState::done) || gap > time + 1 || std::max(time, cpu) > k_max_units) {
      return false;
    }
    const auto at = static_cast<std::int64_t>(time);
    rows.push_back({at * unit_ns, gap == 0 ? -1 : (at - static_cast<std::int64_t>(gap) + 1) * unit_ns,
                    cpu * static_cast<std::uint64_t>(unit_ns), static_cast<std::uint32_t>(task),
                    static_cast<StackId>(stack), new_from - 1, static_cast<TaskState>(state),
                    static_cast<std::uint32_t>(root), static_cast<std::uint32_t>(thread),
                    static_cast<std::uint32_t>(request)});
  }
  return in.ok();
}

} // namespace awaitscope::block
