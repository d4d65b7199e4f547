#include "awaitscope/export/speedscope.hpp"

#include <iterator>
#include <unordered_map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "awaitscope/report/row_budget.hpp"
#include "awaitscope/support/text.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

/// Of a text that the page shows as it is. ASCII only: the page takes some inputs as Latin-1.
std::string quoted(const std::string &text) {
  return Json(one_line(valid_utf8(text))).dump(-1, ' ', true, Json::error_handler_t::replace);
}

/// Numbers the frames of a profile, and keeps each stack's numbers as text: most stacks occur many times.
class Frames {
public:
  Frames(const RecordingTables &tables, const ProfileOptions &options, const RecordingInfo &info,
         const NameOptions &names)
      : tables_(tables), options_(options), info_(info), names_(names) {}

  /// "[0,5,7]"
  const std::string &numbers(StackId stack) {
    const auto [entry, fresh] = stacks_.try_emplace(stack);
    if (fresh) {
      for (const Frame &frame : shown_frames(tables_.stacks.frames(stack), options_)) {
        entry->second += fmt::format("{}{}", entry->second.empty() ? "[" : ",", number(describe(frame)));
      }
      entry->second += entry->second.empty() ? "[]" : "]";
    }
    return entry->second;
  }

  std::size_t number(const std::string &description) {
    const auto [entry, fresh] = known_.try_emplace(description, known_.size());
    if (fresh) {
      list_ += fmt::format("{}{}", list_.empty() ? "" : ",\n", description);
    }
    return entry->second;
  }

  static std::string mark(FrameKind kind) { return fmt::format(R"({{"name":"{}"}})", mark_text(kind)); }
  static std::string unreadable() { return mark(FrameKind::unreadable); }

  [[nodiscard]] const std::string &list() const { return list_; }

private:
  std::string describe(const Frame &frame) const {
    if (!is_named(frame.kind)) {
      return mark(frame.kind);
    }
    const CodeInfo &code = tables_.codes.at(frame.code);
    if (frame.kind == FrameKind::task_border) {
      return fmt::format(R"({{"name":{}}})", quoted(fmt::format("[task {}]", code.function)));
    }
    const std::string_view file =
        names_.files == FileNames::full ? std::string_view(code.file) : importable_path(code.file, info_.import_paths);
    if (is_inserted(frame.kind)) {
      return fmt::format(R"({{"name":{},"file":{}}})", quoted(code.function), quoted(code.file));
    }
    return fmt::format(R"({{"name":{},"file":{},"line":{}}})", quoted(code.function), quoted(std::string(file)),
                       names_.lines == Lines::executing ? frame.line : code.first_line);
  }

  const RecordingTables &tables_;
  const ProfileOptions &options_;
  const RecordingInfo &info_;
  const NameOptions &names_;
  std::unordered_map<StackId, std::string> stacks_;
  std::unordered_map<std::string, std::size_t> known_;
  std::string list_;
};

void append_profile(std::string &out, const std::string &name, const char *unit, std::uint64_t end) {
  fmt::format_to(std::back_inserter(out), R"({}{{"type":"sampled","name":{},"unit":"{}","startValue":0,"endValue":{},)",
                 out.empty() ? "" : ",\n", quoted(name), unit, end);
}

} // namespace

Result<std::string> speedscope_json(const RecordingReader &reader, const Timeline &timeline,
                                    const ProfileOptions &options, const NameOptions &names,
                                    const std::string &source) {
  const bool is_time = options.metric == Metric::cpu || options.metric == Metric::await;
  const char *unit = is_time ? "nanoseconds" : "none";
  const RecordingTables &tables = reader.tables();
  Frames frames(tables, options, reader.info(), names);
  RowBudget printed(reader, RowBudget::k_printed);
  std::string profiles;
  for (const Track &track : timeline.tracks) {
    append_profile(profiles, track.process.empty() ? track.root : track.process + "; " + track.root, unit,
                   track.weight);
    std::string weights;
    profiles += R"("samples":[)";
    for (auto entry = track.entries.begin(); entry != track.entries.end();) {
      if (!printed.spend(tables.stacks.depth(entry->stack))) {
        return RowBudget::exceeded();
      }
      const std::string &numbers = frames.numbers(entry->stack);
      std::uint64_t weight = 0;
      for (; entry != track.entries.end() && frames.numbers(entry->stack) == numbers; ++entry) {
        weight += entry->weight; // what differed is not shown: executing lines, the loop's frames
      }
      const char *comma = weights.empty() ? "" : ",";
      profiles += comma;
      profiles += numbers;
      fmt::format_to(std::back_inserter(weights), "{}{}", comma, weight);
    }
    profiles += R"(],"weights":[)" + weights + "]}";
  }
  if (timeline.unsampled > 0) {
    append_profile(profiles, std::string(k_not_sampled), unit, timeline.unsampled);
    profiles += fmt::format(R"("samples":[[{}]],"weights":[{}]}})",
                            frames.number(fmt::format(R"({{"name":{}}})", quoted(std::string(k_not_sampled)))),
                            timeline.unsampled);
  }
  std::string document = fmt::format("{{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
                                     "\"exporter\":{},\n\"name\":{},\n\"activeProfileIndex\":0,\n"
                                     "\"shared\":{{\"frames\":[{}]}},\n\"profiles\":[",
                                     quoted("awaitscope " + reader.info().tool_version), quoted(source), frames.list());
  document += profiles;
  document += "]}\n";
  return document;
}

} // namespace awaitscope
