#include <fmt/format.h>

#include "attach.hpp"
#include "awaitscope/export/caches.hpp"
#include "awaitscope/process/own_thread.hpp"
#include "awaitscope/report/caches.hpp"
#include "awaitscope/sampler/cache_survey.hpp"
#include "awaitscope/support/units.hpp"
#include "commands.hpp"
#include "messages.hpp"
#include "output.hpp"
#include "overseen.hpp"
#include "stop_signals.hpp"
#include "terminal.hpp"

namespace awaitscope::tools {
namespace {

Result<CacheSurvey> survey_of(const CachesOptions &options, std::int64_t between_ns) {
  CodeTable codes;
  Result<Attached> attached = attach_to(*options.pid, Children::ignore, codes);
  if (!attached) {
    return tl::unexpected(attached.error());
  }
  if (!attached->note.empty() && options.verbosity != Verbosity::quiet) {
    say(attached->note);
  }
  return survey_caches(*attached->target, between_ns, [] { return StopSignals::requested().load(); });
}

/// What the view does not say.
void say_notes(const CacheSurvey &survey) {
  if (!survey.process.warning.empty()) {
    say(survey.process.warning);
  }
  if (survey.out_of_time) {
    say(fmt::format("warning: the search ended before it was through: {} modules were searched",
                    with_thousands(survey.modules)));
  }
  if (survey.left_out > 0) {
    say(fmt::format("left out: {} dicts, lists or tuples that are very large, or changed whenever they were read",
                    with_thousands(survey.left_out)));
  }
  if (survey.unreadable > 0) {
    say(fmt::format("left out: {} caches that could not be read, or are gone again",
                    with_thousands(survey.unreadable)));
  }
}

/// 0: one reading.
Result<std::int64_t> parse_interval(const std::string &text) {
  return text == "0" ? Result<std::int64_t>(0) : parse_duration(text);
}

} // namespace

Result<int> caches(const CachesOptions &options) {
  const Result<std::int64_t> between_ns = parse_interval(options.interval);
  if (!between_ns) {
    return tl::unexpected(between_ns.error());
  }
  StopSignals::install();
  allow_many_descriptors();
  Result<Output> output = Output::open(options.output, Privacy::usual);
  if (!output) {
    return tl::unexpected(output.error());
  }
  Result<CacheSurvey> survey;
  run_overseen(*options.pid, *output, [&] { survey = survey_of(options, *between_ns); });
  if (!survey) {
    return tl::unexpected(survey.error());
  }
  if (options.verbosity != Verbosity::quiet) {
    say_notes(*survey);
  }
  const std::vector<JudgedCache> judged = judge_caches(*survey);
  const Result<void> written = output->write(
      options.json ? caches_json(*survey, judged) : caches_text(*survey, judged, {output_width(), options.limit}));
  if (!written) {
    return tl::unexpected(written.error());
  }
  return 0;
}

} // namespace awaitscope::tools
