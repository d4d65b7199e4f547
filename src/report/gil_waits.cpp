#include "awaitscope/report/gil_waits.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "awaitscope/integrations/thread_names.hpp"
#include "awaitscope/report/file_origin.hpp"
#include "awaitscope/report/row_budget.hpp"

namespace awaitscope {
namespace {

class GilBuilder {
public:
  GilBuilder(const RecordingReader &reader, const TimeRange &range, const Filter &filter)
      : tables_(reader.tables()), range_(range), origins_(reader.tables().codes), budget_(reader, RowBudget::k_walked) {
    options_.filter = filter;
  }

  /// False if these are too many frames.
  bool add(const SampleRun &run) {
    last_stack_.resize(tables_.threads.size());
    const std::uint64_t samples = run.state == ThreadState::idle ? 0 : cost_within(run, range_).samples;
    const bool waits = run.state == ThreadState::gil;
    if (samples > 0 && (waits || !options_.filter.everything())) {
      if (!budget_.spend(2 * tables_.stacks.depth(run.stack))) { // and of the holder
        return false;
      }
      const std::vector<Frame> frames = tables_.stacks.frames(run.stack);
      if (is_shown(tables_, key_of(tables_, run), frames, options_)) {
        waits_.all += samples;
        if (waits) {
          add_wait(run, frames, samples);
        }
      }
    } else {
      waits_.all += samples;
    }
    last_stack_[run.thread] = run.stack;
    return true;
  }

  GilWaits finish() {
    for (auto &[names, found] : found_) {
      GilWait wait{std::get<0>(names), std::get<1>(names), std::get<2>(names), found.samples, {}};
      wait.held_in.assign(found.held_in.begin(), found.held_in.end());
      std::stable_sort(wait.held_in.begin(), wait.held_in.end(),
                       [](const auto &a, const auto &b) { return a.second > b.second; });
      waits_.waits.push_back(std::move(wait));
    }
    std::stable_sort(waits_.waits.begin(), waits_.waits.end(),
                     [](const GilWait &a, const GilWait &b) { return a.samples > b.samples; });
    return std::move(waits_);
  }

private:
  struct Found {
    std::uint64_t samples = 0;
    std::map<CodeId, std::uint64_t> held_in;
  };

  std::string name_of(std::uint32_t thread, const std::vector<Frame> &frames) const {
    const std::string &name = tables_.texts[tables_.threads[thread].name];
    return name.empty() ? "?" : lasting_thread_name(name, tables_.codes, frames);
  }

  void add_wait(const SampleRun &run, const std::vector<Frame> &frames, std::uint64_t samples) {
    waits_.samples += samples;
    std::string holder;
    std::vector<Frame> held;
    if (run.gil_holder != 0) {
      held = tables_.stacks.frames(last_stack_[run.gil_holder - 1]);
      holder = name_of(run.gil_holder - 1, held);
    }
    const std::string &process = tables_.texts[tables_.threads[run.thread].process];
    Found &found = found_[{process, holder, name_of(run.thread, frames)}];
    found.samples += samples;
    if (const std::optional<CodeId> code = shown_of(held)) {
      found.held_in[*code] += samples;
    }
  }

  /// The innermost function of the project, or else of all. Nothing without any.
  std::optional<CodeId> shown_of(const std::vector<Frame> &frames) {
    std::optional<CodeId> innermost;
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
      if (frame->kind != FrameKind::python) {
        continue;
      }
      if (origins_.is_project(frame->code)) {
        return frame->code;
      }
      innermost = innermost ? innermost : frame->code;
    }
    return innermost;
  }

  const RecordingTables &tables_;
  const TimeRange &range_;
  ProfileOptions options_;
  CodeOrigins origins_;
  RowBudget budget_;
  GilWaits waits_;
  std::vector<StackId> last_stack_;                                          ///< of each thread
  std::map<std::tuple<std::string, std::string, std::string>, Found> found_; ///< by process, holder and waiter
};

} // namespace

Result<GilWaits> read_gil_waits(RecordingReader &reader, const TimeRange &range, const Filter &filter) {
  GilBuilder builder(reader, range, filter);
  const Result<void> read = reader.each_block([&]() -> Result<void> {
    for (const SampleRun &run : reader.samples()) {
      if (!builder.add(run)) {
        return RowBudget::exceeded();
      }
    }
    return {};
  });
  if (!read) {
    return tl::unexpected(read.error());
  }
  GilWaits waits = builder.finish();
  waits.period_ns = reader.info().period_ns();
  return waits;
}

} // namespace awaitscope
