#include "page_facts.hpp"

#include <fmt/format.h>

#include "awaitscope/report/sampling_quality.hpp"
#include "awaitscope/support/units.hpp"
#include "page_json.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

std::string without_folder(const std::string &path) { return path.substr(path.rfind('/') + 1); }

} // namespace

Json page_facts(const RecordingReader &reader, const std::string &source) {
  const RecordingInfo &info = reader.info();
  const SamplingTotals &totals = reader.totals();
  std::string command;
  for (const std::string &word : info.command) {
    command += command.empty() ? without_folder(word) : " " + word;
  }
  Json facts = Json::array();
  const auto fact = [&](std::string_view name, const std::string &value) { facts.push_back({name, value}); };
  fact("Process", fmt::format("{} on {}: {}", info.pid, page_text(info.host), page_text(command)));
  fact("Python", page_text(info.python));
  fact("Recorded", fmt::format("{} at {:g} Hz, engine {}", human_duration(totals.elapsed_ns),
                               static_cast<double>(info.rate_millihertz) / 1000, page_text(info.engine)));
  if (totals.process_cpu_ns && totals.elapsed_ns > 0) {
    const auto cpu_ns = static_cast<std::int64_t>(*totals.process_cpu_ns);
    fact("CPU", fmt::format("{}, {:.0f} % of a core", human_duration(cpu_ns),
                            100.0 * static_cast<double>(cpu_ns) / static_cast<double>(totals.elapsed_ns)));
  }
  fact("From", page_text(without_folder(source)));
  return facts;
}

Json page_quality(const RecordingReader &reader) {
  const SamplingTotals &totals = reader.totals();
  Json list = Json::array();
  const auto say = [&](bool warn, const std::string &text) { list.push_back({{"text", text}, {"warn", warn}}); };
  const double lost = lost_percent(totals, totals.samples);
  say(lost >= 1, lost == 0 ? fmt::format("{} samples were taken, those of idle threads included; none were lost.",
                                         with_thousands(totals.samples))
                           : fmt::format("{} samples were taken, those of idle threads included; {} were lost ({}).",
                                         with_thousands(totals.samples), rounded_percent(lost), losses(totals)));
  if (totals.partial > 0) {
    say(true, fmt::format("{} samples have a part that could not be read.", with_thousands(totals.partial)));
  }
  if (slowdown_percent(totals) > 0) {
    say(false, fmt::format("Recording slowed the process down by {}.", slowdown_text(totals)));
  }
  if (totals.slowest_millihertz != 0) {
    say(true, fmt::format("The rate was lowered to {:g} Hz at times.",
                          static_cast<double>(totals.slowest_millihertz) / 1000));
  }
  if (reader.ending() != Ending::whole) {
    say(true, "The recording has no end: the recorder was killed, or the file is damaged.");
  }
  return list;
}

} // namespace awaitscope
