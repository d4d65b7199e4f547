#include "cache_view.hpp"

#include "awaitscope/export/cache.hpp"
#include "awaitscope/export/traced.hpp"

namespace awaitscope::tools {

Result<View> traced_view(RecordingReader &reader, const ViewPlan &plan) {
  const Result<std::vector<TracedFunction>> functions =
      read_traced(reader, plan.range, plan.profile.filter, plan.order);
  if (!functions) {
    return tl::unexpected(functions.error());
  }
  const CodeTable &codes = reader.tables().codes;
  const FrameNames names(codes, reader.info().import_paths, plan.names.files, plan.names.lines);
  return View{plan.json ? traced_json(*functions, codes) : traced_text(*functions, plan.layout, names),
              "functions by their traced calls",
              {},
              functions->empty()};
}

Result<View> cache_view(RecordingReader &reader, const ViewPlan &plan) {
  if (reader.info().arguments == Arguments::none) {
    return fail(ExitStatus::failed, "the recording does not know the arguments of calls",
                "record with --args, or trace the functions: awaitscope trace --help");
  }
  const Result<CacheOpportunities> found = read_cache_opportunities(reader, plan.range, plan.profile.filter);
  if (!found) {
    return tl::unexpected(found.error());
  }
  const CodeTable &codes = reader.tables().codes;
  const FrameNames names(codes, reader.info().import_paths, plan.names.files, plan.names.lines);
  return View{plan.json ? cache_json(*found, codes) : cache_text(*found, plan.layout, names),
              "what caches would save",
              {},
              found->functions.empty()};
}

} // namespace awaitscope::tools
