#include "awaitscope/asyncio/suspended_greenlets.hpp"

#include <algorithm>

#include "awaitscope/integrations/greenlet.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_max_calls = 4096;
constexpr unsigned k_max_greenlet_bases = 16;

} // namespace

/// The innermost frame, as StackReader has frames; 0 if it has none, or runs. `type` is the class of greenlet itself.
Address SuspendedGreenletReader::top_frame(Address greenlet, const TypeInfo &type) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  const Address behind_head = greenlet + layout.sizeof_object;
  const auto is_frame = [&](Address object) { return object != 0 && objects_.type_of_object(object).name == "frame"; };
  Address frame = 0;
  if (type.basic_size == static_cast<std::int64_t>(layout.sizeof_object) + k_greenlet_size) {
    const Address pimpl = memory.pointer(behind_head + k_greenlet_pimpl);
    for (const std::uint32_t offset : k_greenlet_top_frames) {
      const Address candidate = pimpl == 0 ? 0 : memory.pointer(pimpl + offset);
      frame = frame == 0 && is_frame(candidate) ? candidate : frame;
    }
  } else if (const Address object = memory.pointer(behind_head + k_greenlet_top_frame_before_2); is_frame(object)) {
    frame = object;
  }
  if (frame == 0 || layout.if_generator != k_absent) { // the frame object is what StackReader reads
    return frame;
  }
  // Include/internal/pycore_frame.h, struct _frame: f_back, then f_frame.
  return memory.pointer(frame + layout.sizeof_object + 8);
}

std::vector<SuspendedGreenletReader::Call> SuspendedGreenletReader::calls(Address object) {
  Address type = object == 0 ? 0 : objects_.type_of(object);
  for (unsigned i = 0; type != 0 && objects_.type(type).name != k_greenlet_type; ++i) { // a program's own class of them
    type = i < k_max_greenlet_bases ? objects_.type(type).base : 0;
  }
  std::vector<Call> calls;
  if (type == 0) {
    return calls;
  }
  // From 3.12 on, entries from C lie on the C stack, which another greenlet may have by now; greenlet itself has linked the
  // frames past them (TGreenlet.cpp, expose_frames(), 3.0.3 and later).
  Address at = top_frame(object, objects_.type(type));
  bool whole = at != 0;
  while (at != 0 && whole) {
    const std::optional<RawFrame> raw = stacks_.raw_frame(at);
    const std::optional<Frame> frame = raw && !raw->shim ? stacks_.decode(*raw) : std::nullopt;
    if (frame && !codes_.is_internal(frame->code)) {
      calls.push_back({*frame, *raw});
    }
    whole = raw && (raw->shim || frame) && calls.size() < k_max_calls;
    at = whole ? raw->previous : 0;
  }
  // 3.0.0 to 3.0.2 cut off the innermost frame there (TPythonState.cpp, _prev_frame). It is of the library's function that
  // switches, and so never the outermost one as well.
  if (!whole || calls.size() < 2) {
    calls.push_back({k_unreadable_frame, {}});
  }
  std::reverse(calls.begin(), calls.end());
  return calls;
}

} // namespace awaitscope
