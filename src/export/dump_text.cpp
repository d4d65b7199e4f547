#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "awaitscope/export/dump.hpp"
#include "awaitscope/export/snapshot_json.hpp"
#include "awaitscope/support/text.hpp"
#include "awaitscope/support/text_width.hpp"
#include "awaitscope/support/units.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_most_tasks_named = 10;

bool equal_frames(const std::vector<Frame> &a, const std::vector<Frame> &b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Frame &one, const Frame &other) {
    return one.kind == other.kind && one.code == other.code && one.line == other.line;
  });
}

/// Threads that are shown as one.
using ThreadGroup = std::vector<const ThreadSnapshot *>;

bool are_alike(const ThreadSnapshot &a, const ThreadSnapshot &b) {
  const auto waits = [](const ThreadSnapshot &thread) {
    return thread.state != ThreadState::running && !thread.holds_gil && !thread.main && thread.running_task == 0;
  };
  return waits(a) && waits(b) && a.interpreter == b.interpreter && a.system_call == b.system_call &&
         equal_frames(a.frames, b.frames);
}

/// In the order of their first ones.
std::vector<ThreadGroup> groups_of(const std::vector<ThreadSnapshot> &threads) {
  std::vector<ThreadGroup> groups;
  for (const ThreadSnapshot &thread : threads) {
    const auto like = std::find_if(groups.begin(), groups.end(),
                                   [&](const ThreadGroup &group) { return are_alike(*group.front(), thread); });
    if (like == groups.end()) {
      groups.push_back({&thread});
    } else {
      like->push_back(&thread);
    }
  }
  return groups;
}

class DumpText {
public:
  DumpText(const ProcessSnapshot &snapshot, const CodeTable &codes, const DumpLayout &layout)
      : snapshot_(snapshot), codes_(codes), layout_(layout) {}

  std::string write() {
    head();
    for (const ThreadGroup &group : groups_of(snapshot_.threads)) {
      thread(group);
    }
    for (const TaskSnapshot &one : snapshot_.tasks) {
      task(one);
    }
    return std::move(out_);
  }

private:
  void line(const std::string &text, std::size_t indent) {
    out_ += text.find_first_not_of(' ') == std::string::npos ? "\n" : wrapped(text, layout_.width, indent);
  }

  void head() {
    std::string command;
    for (const std::string &word : snapshot_.command) {
      command += (command.empty() ? "" : " ") + one_line(valid_utf8(word));
    }
    line(fmt::format("Process {}: Python {} ({})", snapshot_.pid, snapshot_.python,
                     one_line(valid_utf8(snapshot_.executable))),
         2);
    out_ += "  " + cut_end(command, layout_.width - 2) + "\n";
    std::string holder = snapshot_.free_threaded ? "none: Python without a GIL" : "free";
    for (const ThreadSnapshot &thread : snapshot_.threads) {
      if (thread.holds_gil) {
        holder = fmt::format("held by thread {} \"{}\"", thread.tid, one_line(thread.name));
      }
    }
    line("  GIL: " + holder, 4);
  }

  static std::string state_of(const ThreadSnapshot &thread) {
    if (thread.state == ThreadState::gil) {
      return "waits for the GIL";
    }
    return std::string(name_of(thread.state)) + (thread.system_call.empty() ? "" : " in " + thread.system_call);
  }

  void thread(const ThreadGroup &group) {
    const ThreadSnapshot &first = *group.front();
    std::string text = group.size() == 1 ? "Thread" : fmt::format("{} threads", with_thousands(group.size()));
    for (std::size_t i = 0; i < std::min(k_most_tasks_named, group.size()); ++i) {
      text += fmt::format("{} {} \"{}\"", i == 0 ? "" : ",", group[i]->tid, one_line(group[i]->name));
    }
    if (group.size() > k_most_tasks_named) {
      text += fmt::format(" and {} more", with_thousands(group.size() - k_most_tasks_named));
    }
    out_ += "\n";
    line(fmt::format("{}{}: {}{}", text, first.main ? " (main)" : "", state_of(first),
                     first.holds_gil ? ", holds the GIL" : ""),
         2);
    frames(first.frames);
  }

  void task(const TaskSnapshot &task) {
    std::string text = fmt::format("Task {} \"{}\" {}: {}", id_text(task.id), one_line(task.name),
                                   one_line(codes_.at(task.coroutine).function), name_of(task.state));
    for (std::size_t i = 0; i < std::min(k_most_tasks_named, task.awaited_by.size()); ++i) {
      text += (i == 0 ? ", awaited by " : ", ") + id_text(task.awaited_by[i]);
    }
    if (task.awaited_by.size() > k_most_tasks_named) {
      text += fmt::format(" and {} more", with_thousands(task.awaited_by.size() - k_most_tasks_named));
    }
    if (const std::optional<ThreadId> hop = hop_of(snapshot_, task)) {
      text += fmt::format(", thread {} works for it", *hop);
    }
    out_ += "\n";
    line(text, 2);
    frames(task.frames);
  }

  void frames(const std::vector<Frame> &frames) {
    const auto write = [&](const Frame &one) { out_ += "    " + frame(one) + "\n"; };
    if (layout_.order == FrameOrder::outermost_first) {
      std::for_each(frames.begin(), frames.end(), write);
    } else {
      std::for_each(frames.rbegin(), frames.rend(), write);
    }
  }

  [[nodiscard]] std::string frame(const Frame &frame) const {
    if (!is_named(frame.kind)) {
      return std::string(mark_text(frame.kind));
    }
    const CodeInfo &code = codes_.at(frame.code);
    const std::string file =
        one_line(layout_.files == FileNames::full ? std::string_view(code.file)
                                                  : importable_path(code.file, layout_.import_paths));
    const std::string line = frame.line > 0 ? std::to_string(frame.line) : "?";
    const std::string place = frame.kind == FrameKind::native ? file : fmt::format("{}:{}", file, line);
    const std::string function = one_line(code.function);
    constexpr std::size_t k_around = 7; // the indent, a space and two parentheses
    const std::size_t room = layout_.width - k_around;
    const std::size_t for_place = std::max(room / 2, room - std::min(room, text_width(function)));
    const std::string shown = layout_.files == FileNames::full ? place : cut_begin(place, for_place);
    const bool whole = layout_.files == FileNames::full || text_width(function) + text_width(shown) <= room;
    return fmt::format("{} ({})", whole ? function : cut_end(function, room - text_width(shown)), shown);
  }

  const ProcessSnapshot &snapshot_;
  const CodeTable &codes_;
  const DumpLayout &layout_;
  std::string out_;
};

} // namespace

std::string dump_text(const ProcessSnapshot &snapshot, const CodeTable &codes, const DumpLayout &layout) {
  return DumpText(snapshot, codes, layout).write();
}

} // namespace awaitscope
