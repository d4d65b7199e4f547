#include "gil_view.hpp"

#include "awaitscope/export/gil.hpp"

namespace awaitscope::tools {

Result<View> gil_view(RecordingReader &reader, const ViewPlan &plan) {
  const Result<GilWaits> waits = read_gil_waits(reader, plan.range, plan.profile.filter);
  if (!waits) {
    return tl::unexpected(waits.error());
  }
  const CodeTable &codes = reader.tables().codes;
  const FrameNames names(codes, reader.info().import_paths, plan.names.files, plan.names.lines);
  return View{plan.json ? gil_json(*waits, codes) : gil_text(*waits, plan.layout, names),
              "threads that wait for the GIL",
              {},
              waits->all == 0};
}

} // namespace awaitscope::tools
