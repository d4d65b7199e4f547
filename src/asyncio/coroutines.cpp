#include "awaitscope/asyncio/coroutines.hpp"

#include <array>
#include <unordered_set>

namespace awaitscope {
namespace {

constexpr std::array<std::string_view, 3> k_coroutine_types{"coroutine", "async_generator", "generator"};

// Each holds what it drives in its first word (Objects/genobject.c: PyCoroWrapper.cw_coroutine, PyAsyncGenASend.ags_gen,
// PyAsyncGenAThrow.agt_gen; Objects/iterobject.c: anextawaitableobject.wrapped).
constexpr std::array<std::string_view, 4> k_wrapper_types{"coroutine_wrapper", "async_generator_asend",
                                                          "async_generator_athrow", "anext_awaitable"};

template <std::size_t N> bool contains(const std::array<std::string_view, N> &names, std::string_view name) {
  for (const std::string_view candidate : names) {
    if (candidate == name) {
      return true;
    }
  }
  return false;
}

} // namespace

CoroutineReader::Kind CoroutineReader::kind_of(Address object) {
  const TypeInfo &type = objects_.type_of_object(object);
  if (!type.valid) {
    return Kind::other;
  }
  if (contains(k_coroutine_types, type.name)) {
    return Kind::coroutine;
  }
  if (contains(k_wrapper_types, type.name)) {
    return Kind::wrapper;
  }
  return type.name == "_asyncio.FutureIter" ? Kind::future_iterator : Kind::other;
}

Address CoroutineReader::frame_of(Address coroutine) {
  return coroutine != 0 && kind_of(coroutine) == Kind::coroutine ? coroutine + objects_.layout().gen_frame : 0;
}

Address CoroutineReader::awaited_by(Address coroutine, const RawFrame &frame, std::int8_t state) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  if (state != layout.state_awaiting || frame.stacktop <= 0) {
    return 0;
  }
  if (layout.suspend_rule == SuspendRule::resume_oparg) {
    // The instruction pointer stands on the YIELD_VALUE or SEND; what resumes behind it tells why it was suspended.
    const auto next = memory.get<std::array<std::uint8_t, 2>>(frame.instruction + 2);
    const bool resumes = next && ((*next)[0] == layout.resume_opcodes[0] || (*next)[0] == layout.resume_opcodes[1]);
    if (!resumes || ((*next)[1] & 3U) < 2) {
      return 0;
    }
  }
  const Address top =
      coroutine + layout.gen_frame + layout.if_localsplus + (static_cast<Address>(frame.stacktop) - 1) * 8;
  return memory.pointer(top);
}

AwaitEnd CoroutineReader::follow(Address object, std::vector<Frame> &frames) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  for (std::size_t step = 0; step < k_max_chain; ++step) {
    if (object == 0) {
      return {};
    }
    switch (kind_of(object)) {
    case Kind::future_iterator:
      return {memory.pointer(object + layout.sizeof_object), true};
    case Kind::wrapper:
      object = memory.pointer(object + layout.sizeof_object);
      continue;
    case Kind::other:
      return {object, objects_.type_of_object(object).valid};
    case Kind::coroutine:
      break;
    }
    const auto state = memory.get<std::int8_t>(object + layout.gen_state);
    if (!state) {
      return {0, false};
    }
    if (*state >= layout.state_finished) {
      return {};
    }
    const std::optional<RawFrame> raw = stacks_.raw_frame(object + layout.gen_frame);
    const std::optional<Frame> frame = raw ? stacks_.decode(*raw) : std::nullopt;
    if (!frame) {
      return {0, false};
    }
    frames.push_back(*frame);
    if (*state == layout.state_executing) {
      return {};
    }
    object = awaited_by(object, *raw, *state);
  }
  return {0, false}; // longer than any real chain: a cycle
}

CodeId CoroutineReader::label(Address coroutine) {
  const Layout &layout = objects_.layout();
  const Address frame = frame_of(coroutine);
  if (frame != 0) {
    const Address code_address = objects_.memory().pointer(frame + layout.if_code);
    const std::optional<CodeId> code = codes_.find(code_address);
    const Address qualname = objects_.memory().pointer(coroutine + layout.gen_qualname);
    if (code) {
      return codes_.named(*code, code_address, qualname);
    }
    return codes_.table().add_name(objects_.text(qualname).value_or("?"));
  }
  const TypeInfo &type = objects_.type_of_object(coroutine);
  return codes_.table().add_name(type.valid ? type.name : "?");
}

} // namespace awaitscope
