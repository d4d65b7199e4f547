#include "awaitscope/recording/reader.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "awaitscope/recording/format.hpp"

namespace awaitscope {
namespace {

/// Reads in steps, so that memory is taken only for what is there, whatever a length claims.
Result<bool> read_whole(ByteSource &source, std::size_t size, std::string &data) {
  constexpr std::size_t k_step = std::size_t{64} << 10U;
  data.clear();
  while (data.size() < size) {
    const std::size_t at = data.size();
    const std::size_t step = std::min(k_step, size - at);
    data.resize(at + step);
    const Result<std::size_t> got = source.read(data.data() + at, step);
    if (!got) {
      return tl::unexpected(got.error());
    }
    data.resize(at + *got);
    if (*got < step) {
      return false;
    }
  }
  return true;
}

} // namespace

RecordingReader::RecordingReader(std::unique_ptr<ByteSource> source)
    : source_(std::move(source)), tables_(std::make_unique<RecordingTables>()) {}

Result<RecordingReader> RecordingReader::open(std::unique_ptr<ByteSource> source) {
  RecordingReader reader(std::move(source));
  const std::string name = reader.source_->name();
  const Result<bool> head = read_whole(*reader.source_, format::k_head_size, reader.data_);
  if (!head) {
    return tl::unexpected(head.error());
  }
  const std::string_view magic = std::string_view(reader.data_).substr(0, format::k_magic.size());
  std::uint32_t revision = 0;
  if (!*head && magic == format::k_magic.substr(0, magic.size())) {
    return fail(ExitStatus::failed, fmt::format("{} is empty: its recorder ended before it had attached", name),
                "record again: awaitscope record -p PID");
  }
  switch (*head ? check_head(reader.data_, revision) : HeadStatus::foreign) {
  case HeadStatus::foreign:
    return fail(ExitStatus::failed, fmt::format("{} is not an awaitscope recording (or its header is damaged)", name),
                "give a file that awaitscope record wrote (*.ascope)");
  case HeadStatus::newer:
    return fail(ExitStatus::failed,
                fmt::format("{} was written by a newer awaitscope: format {}, and this one reads up to {}", name,
                            revision, format::k_revision),
                "report it with an awaitscope that is as new as the one that recorded it");
  case HeadStatus::readable:
    break;
  }
  reader.bytes_ = format::k_head_size;
  const Result<bool> first = reader.next_block();
  if (!first) {
    return tl::unexpected(first.error());
  }
  const std::optional<RecordingInfo> info = *first ? block::find_info(reader.block_) : std::nullopt;
  if (!info) {
    const bool damaged = *first || reader.ending_ == Ending::damaged;
    return fail(ExitStatus::failed,
                fmt::format("{} {}", name,
                            damaged ? "is damaged in its first block: nothing of it can be read"
                                    : "ends before its first whole block: its recorder had hardly begun"),
                damaged ? "fetch the file again from where it was recorded" : "record again: awaitscope record -p PID");
  }
  reader.info_ = *info;
  reader.first_taken_ = true;
  return reader;
}

bool RecordingReader::end(Ending how) {
  ending_ = how;
  ended_ = true;
  contents_ = {};
  return false;
}

Result<void> RecordingReader::each_block(const std::function<Result<void>()> &visit) {
  while (true) {
    const Result<bool> more = next();
    if (!more) {
      return tl::unexpected(more.error());
    }
    if (!*more) {
      return {};
    }
    if (Result<void> visited = visit(); !visited) {
      return visited;
    }
  }
}

Result<bool> RecordingReader::next_block() {
  if (ended_) {
    return false;
  }
  const Result<bool> head_read = read_whole(*source_, format::k_frame_head_size, data_);
  if (!head_read) {
    return tl::unexpected(head_read.error());
  }
  if (!*head_read) {
    return end(!data_.empty() ? Ending::torn : said_end_ ? Ending::whole : Ending::open);
  }
  const FrameHead head = FrameHead::parse(data_);
  if (!head.plausible()) {
    return end(Ending::damaged);
  }
  const Result<bool> read = read_whole(*source_, head.length, data_);
  if (!read) {
    return tl::unexpected(read.error());
  }
  if (!*read) {
    return end(Ending::torn);
  }
  if (!head.vouches_for(data_) || !decoder_.decode(head, data_, block_)) {
    return end(Ending::damaged);
  }
  bytes_ += format::k_frame_head_size + data_.size();
  content_ += block_.size();
  return true;
}

/// Whether a recorder can have written what the current block holds.
bool RecordingReader::within_bounds() {
  if (!Expansion::allows(content_ - std::min(content_, tables_->text_content), bytes_)) {
    return false;
  }
  const auto is_allowed = [this](const auto &row) { return expansion_.allows(*tables_, row.stack, bytes_); };
  return std::all_of(contents_.samples.begin(), contents_.samples.end(), is_allowed) &&
         std::all_of(contents_.task_changes.begin(), contents_.task_changes.end(), is_allowed);
}

void RecordingReader::mark_unwanted() {
  for (SampleRun &run : contents_.samples) {
    run.left_out = !wanted_(run.request);
  }
  for (RecordedTaskChange &change : contents_.task_changes) {
    change.left_out = !wanted_(change.request);
  }
}

Result<bool> RecordingReader::next() {
  if (!std::exchange(first_taken_, false)) {
    Result<bool> more = next_block();
    if (!more || !*more) {
      return more;
    }
  }
  if (!block::take(block_, info_.unit_ns, *tables_, contents_) || !within_bounds()) {
    return end(Ending::damaged);
  }
  if (wanted_) {
    mark_unwanted();
  }
  if (contents_.totals) {
    totals_ = contents_.totals->sampling;
    process_cpu_ = contents_.totals->process_cpu;
    said_end_ = contents_.totals->final;
    if (contents_.totals->engine != 0) {
      info_.engine = tables_->texts[contents_.totals->engine];
    }
  }
  std::vector<std::string> &paths = info_.import_paths;
  for (std::string &path : contents_.import_paths) {
    if (paths.size() < format::k_max_import_paths && std::find(paths.begin(), paths.end(), path) == paths.end()) {
      paths.push_back(std::move(path));
    }
  }
  if (info_.event_source == EventSource::cpu_time) {
    if (totals_.process_cpu_ns) {
      totals_.process_events = EventCount{*totals_.process_cpu_ns, 0, 0};
    }
  } else if (info_.events_as_time) {
    const auto unit = static_cast<std::uint64_t>(info_.unit_ns);
    for (SampleRun &run : contents_.samples) {
      run.events = std::min(run.events, format::k_max_number / unit) * unit;
    }
  }
  return true;
}

} // namespace awaitscope
