#include "awaitscope/asyncio/greenlets.hpp"

#include "awaitscope/integrations/greenlet.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_max_depth = 1024;

} // namespace

/// The frame of what an executing frame awaits, or 0: that which has it for the one before.
Address GreenletReader::awaited(const RawFrame &raw) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  for (const Address object : stacks_.value_stack(raw)) {
    Address frame = object == 0 ? 0 : coroutines_.frame_of(object);
    if (frame == 0 && object != 0 && coroutines_.wraps(object)) {
      frame = coroutines_.frame_of(memory.pointer(object + layout.sizeof_object));
    }
    if (frame != 0 && memory.pointer(frame + layout.if_previous) == raw.address) {
      return frame;
    }
  }
  return 0;
}

/// Is it in a call of a greenlet's own method, switch() or throw()? Its function and its object are on the value stack until it
/// returns: a bound method, or the descriptor and then the greenlet (Python/ceval.c, CALL_METHOD and those after it).
bool GreenletReader::switches(const RawFrame &raw) {
  const auto is_greenlet = [&](Address object) {
    return object != 0 && objects_.is_kind(objects_.type_of(object), k_greenlet_type);
  };
  bool after_method = false;
  for (const Address object : stacks_.value_stack(raw)) {
    const std::string_view type = object == 0 ? std::string_view{} : objects_.type_of_object(object).name;
    if ((after_method && is_greenlet(object)) ||
        (type == "builtin_function_or_method" &&
         is_greenlet(objects_.memory().pointer(object + objects_.layout().cfunction_self)))) {
      return true;
    }
    after_method = type == "method_descriptor";
  }
  return false;
}

bool GreenletReader::follow(Address coroutine, std::vector<Frame> &frames, std::vector<Address> *places) {
  Address at = coroutines_.frame_of(coroutine);
  for (std::size_t depth = 0; at != 0 && depth < k_max_depth; ++depth) {
    const std::optional<RawFrame> raw = stacks_.raw_frame(at);
    const std::optional<Frame> frame = raw ? stacks_.decode(*raw) : std::nullopt;
    if (!frame) {
      return false;
    }
    frames.push_back(*frame);
    if (places != nullptr) {
      places->push_back(at);
    }
    at = awaited(*raw);
    if (at == 0) {
      return switches(*raw);
    }
    coroutines_.add_greenlet(raw->address, *frame, frames, nullptr, places); // one that waits for what another one does
  }
  return false;
}

} // namespace awaitscope
