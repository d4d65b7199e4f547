#include "commands.hpp"

#include "awaitscope/export/dump.hpp"
#include "awaitscope/sampler/snapshot_taker.hpp"
#include "engines.hpp"
#include "messages.hpp"
#include "output.hpp"
#include "stop_signals.hpp"

namespace awaitscope::tools {

Result<int> dump(const DumpOptions &options) {
  StopSignals::install();
  Result<Output> output = Output::open(options.output);
  if (!output) {
    return tl::unexpected(output.error());
  }
  Result<std::unique_ptr<Engine>> engine = make_engine(options.engine);
  if (!engine) {
    return tl::unexpected(engine.error());
  }
  Result<Process> process = Process::open(*options.pid);
  if (!process) {
    return tl::unexpected(process.error());
  }
  CodeTable codes;
  Target target(std::move(*process), codes);
  if (const Result<void> attached = target.attach(); !attached) {
    return tl::unexpected(attached.error());
  }
  const Result<ProcessSnapshot> snapshot = take_snapshot(target, **engine);
  engine->reset(); // gives this thread its usual scheduling back
  if (!snapshot) {
    return tl::unexpected(snapshot.error());
  }
  if (!snapshot->consistent && options.verbosity != Verbosity::quiet) {
    say("warning: threads ran while others were read; each stack is whole, but they are not of one moment");
  }
  const Result<void> written = output->write(options.json ? dump_json(*snapshot, codes) : dump_text(*snapshot, codes));
  if (!written) {
    return tl::unexpected(written.error());
  }
  return 0;
}

} // namespace awaitscope::tools
