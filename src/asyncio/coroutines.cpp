#include "awaitscope/asyncio/coroutines.hpp"

#include <algorithm>
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

/// Does it still hold something that it held before?
bool holds_same(const CallSight &before, const CallSight &now) {
  return std::any_of(before.held.begin(), before.held.end(), [&](Address value) {
    return value != 0 && std::find(now.held.begin(), now.held.end(), value) != now.held.end();
  });
}

} // namespace

std::size_t first_new_call(const std::vector<CallSight> &before, const std::vector<CallSight> &now, bool awaits_same) {
  const std::size_t most = std::min(before.size(), now.size());
  std::size_t same = 0;
  while (same < most && before[same].number == now[same].number) {
    ++same;
  }
  bool same_below = awaits_same && same == before.size() && same == now.size();
  while (same > 1 && !same_below) {
    const CallSight &then = before[same - 1];
    const bool innermost = same == before.size() && same == now.size();
    same_below = now[same - 1].instruction != then.instruction || (!innermost && holds_same(then, now[same - 1]));
    same -= same_below ? 0 : 1;
  }
  return same;
}

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
  if (type.name == "_asyncio.FutureIter") {
    return Kind::future_iterator;
  }
  if (CompiledCoroutineReader::is_coroutine(type.name)) {
    return Kind::compiled;
  }
  return CompiledCoroutineReader::is_wrapper(type.name) ? Kind::wrapper : Kind::other;
}

Address CoroutineReader::frame_of(Address coroutine) {
  if (coroutine == 0 || kind_of(coroutine) != Kind::coroutine) {
    return 0;
  }
  const Layout &layout = objects_.layout();
  const Address frame = coroutine + layout.gen_frame;
  return layout.gen_state == k_absent ? objects_.memory().pointer(frame) : frame;
}

/// Does the instruction with which the coroutine goes on tell that it awaits?
bool CoroutineReader::next_instruction_awaits(const RawFrame &frame) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  const bool in_bytes_object = layout.suspend_rule == SuspendRule::yield_from_opcode;
  const Address field = frame.code + layout.co_bytecode;
  const Address first = in_bytes_object ? memory.pointer(field) + layout.bytes_value : field;
  const auto next = memory.get<std::array<std::uint8_t, 2>>(first + static_cast<Address>(frame.instruction) + 2);
  if (frame.instruction < 0 || !next) {
    return false;
  }
  const bool matches = (*next)[0] == layout.await_opcodes[0] || (*next)[0] == layout.await_opcodes[1];
  return matches && (in_bytes_object || ((*next)[1] & 3U) >= 2);
}

CoroutineReader::State CoroutineReader::state_of(Address coroutine, const RawFrame *frame) {
  const Layout &layout = objects_.layout();
  if (layout.gen_state == k_absent) { // the frame object tells; without one the coroutine has ended
    if (frame == nullptr || frame->ended) {
      return State::finished;
    }
    if (frame->stack_end == 0) {
      return State::executing;
    }
    return next_instruction_awaits(*frame) ? State::awaiting : State::suspended;
  }
  const auto state = objects_.memory().get<std::int8_t>(coroutine + layout.gen_state);
  if (!state) {
    return State::unknown;
  }
  if (*state >= layout.state_finished) {
    return State::finished;
  }
  if (*state == layout.state_executing) {
    return State::executing;
  }
  const bool may_await = *state >= layout.state_awaiting_first && *state <= layout.state_awaiting_last &&
                         frame != nullptr && frame->stack_end != 0;
  const bool looks_further = layout.suspend_rule == SuspendRule::resume_oparg;
  return may_await && (!looks_further || next_instruction_awaits(*frame)) ? State::awaiting : State::suspended;
}

std::uint64_t CoroutineReader::call_number(const RawFrame &raw, std::int32_t caller_line) {
  constexpr std::uint64_t k_mix = 0x9E3779B97F4A7C15ULL;
  const Layout &layout = objects_.layout();
  const bool is_object = layout.if_generator != k_absent;
  const Address object =
      is_object ? objects_.memory().pointer(raw.address + layout.if_generator) : raw.address - layout.gen_frame;
  const bool once = caller_line > 0 && raw.of_generator && objects_.is_kind(objects_.type_of(object), "coroutine");
  const std::uint64_t place = once ? static_cast<std::uint64_t>(caller_line) * k_mix : 0;
  return raw.address ^ stacks_.arguments_identity(raw) ^ place;
}

CallSight CoroutineReader::call_sight(const RawFrame &raw, std::int32_t caller_line) {
  CallSight sight{call_number(raw, caller_line), raw.instruction, {}};
  const Layout &layout = objects_.layout();
  const Address first = raw.address + layout.if_localsplus;
  const auto arguments = objects_.memory().get<std::int32_t>(raw.code + layout.co_argcount).value_or(0);
  const bool runs =
      raw.stack_end == 0; // what it awaits, and what was sent to it, lies on top of what a suspended one holds
  const Address end = runs ? stacks_.value_stack_begin(raw) : raw.stack_end - Address{8} * (layout.awaited_depth + 1U);
  constexpr std::size_t k_most = 64;
  std::size_t found = 0;
  for (std::size_t i = static_cast<std::size_t>(std::max(arguments, 0));
       i < k_most && found < sight.held.size() && first + i * 8 < end; ++i) {
    if (const Address value = objects_.memory().pointer(first + i * 8); value != 0) {
      sight.held[found++] = value;
    }
  }
  return sight;
}

bool CoroutineReader::executes(Address coroutine) {
  if (coroutine == 0 || kind_of(coroutine) != Kind::coroutine) {
    return coroutine != 0;
  }
  const Address frame = frame_of(coroutine);
  const std::optional<RawFrame> raw = frame == 0 ? std::nullopt : stacks_.raw_frame(frame);
  return state_of(coroutine, raw ? &*raw : nullptr) == State::executing;
}

AwaitEnd CoroutineReader::follow(Address object, std::vector<Frame> &frames, std::vector<CallSight> *calls,
                                 std::vector<Address> *places) {
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  std::int32_t caller_line = 0;
  Address innermost = 0;
  Address landmark = 0; // Brent's: a chain that comes back to where it was at a power of two of steps has no end
  for (std::size_t step = 0; step < k_max_chain; ++step) {
    if (object == 0) {
      return {};
    }
    if (object == landmark) {
      return {0, false};
    }
    landmark = (step & (step - 1)) == 0 ? object : landmark;
    switch (kind_of(object)) {
    case Kind::future_iterator:
      return {memory.pointer(object + layout.sizeof_object), true, innermost};
    case Kind::wrapper:
      object = memory.pointer(object + layout.sizeof_object);
      continue;
    case Kind::other:
      return {object, objects_.type_of_object(object).valid, innermost};
    case Kind::compiled:
      if (!take_compiled(object, frames, calls)) {
        return {0, false};
      }
      if (places != nullptr) {
        places->push_back(0);
      }
      continue;
    case Kind::coroutine:
      break;
    }
    const Address frame_address = frame_of(object);
    const std::optional<RawFrame> raw = frame_address == 0 ? std::nullopt : stacks_.raw_frame(frame_address);
    if (frame_address != 0 && !raw) {
      return {0, false};
    }
    const State state = state_of(object, raw ? &*raw : nullptr);
    if (state == State::finished) {
      return {};
    }
    const std::optional<Frame> frame = raw ? stacks_.decode(*raw) : std::nullopt;
    if (!frame || state == State::unknown) {
      return {0, false};
    }
    frames.push_back(*frame);
    innermost = raw->address;
    if (places != nullptr) {
      places->push_back(raw->address);
    }
    if (calls != nullptr) {
      calls->push_back(call_sight(*raw, caller_line));
    }
    caller_line = frame->line;
    if (state != State::awaiting) {
      return {};
    }
    add_greenlet(raw->address, *frame, frames, calls, places);
    object = awaited(*raw);
  }
  return {0, false}; // longer than any real chain
}

/// What a suspended frame awaits. Objects/genobject.c, gen_send_ex(): what is sent to it, None, is pushed on top of that
/// before the frame counts as executing; and None cannot be awaited.
Address CoroutineReader::awaited(const RawFrame &frame) {
  const Layout &layout = objects_.layout();
  const auto slot = [&](unsigned depth) {
    return objects_.memory().pointer(frame.stack_end - Address{8} * depth) & ~layout.reference_tag;
  };
  const Address top = slot(1);
  const bool sent = top != 0 && objects_.type_of_object(top).name == "NoneType";
  return slot(layout.awaited_depth + (sent ? 1U : 0U));
}

void CoroutineReader::add_greenlet(Address frame_address, const Frame &frame, std::vector<Frame> &frames,
                                   std::vector<CallSight> *calls, std::vector<Address> *places) {
  const FunctionRule *rule = roles_.rule(frame);
  if (rule == nullptr || rule->role != FunctionRole::drives_greenlet) {
    return;
  }
  const Address greenlet = roles_.held(*rule, frame_address, frame.code);
  for (const SuspendedGreenletReader::Call &call : greenlets_.calls(greenlet)) {
    frames.push_back(call.frame);
    if (places != nullptr) {
      places->push_back(0);
    }
    if (calls != nullptr) {
      calls->push_back(call.raw.address == 0 ? CallSight{greenlet, -1, {}} : call_sight(call.raw, 0));
    }
  }
}

void CoroutineReader::add_greenlet(const PythonStack &stack, std::size_t index, std::vector<Frame> &frames,
                                   std::vector<CallSight> *calls) {
  if (index + 1 < stack.frames.size() && stack.frames[index].of_generator && stack.frames[index + 1].of_generator) {
    add_greenlet(stack.frames[index].address, stack.frames[index].frame, frames, calls);
  }
}

/// Appends the name of a coroutine that Cython compiled, and goes on to what it awaits (0: nothing that can be followed).
bool CoroutineReader::take_compiled(Address &object, std::vector<Frame> &frames, std::vector<CallSight> *calls) {
  const std::optional<CodeId> name = compiled_.name(object);
  if (!name) {
    return false;
  }
  frames.push_back({*name, 0, FrameKind::python});
  if (calls != nullptr) {
    calls->push_back({object, -1, {}});
  }
  const auto can_follow = [&](Address candidate) { return candidate != 0 && kind_of(candidate) != Kind::other; };
  const CompiledCoroutineReader::Candidates awaited = compiled_.awaited(object);
  object = can_follow(awaited.nearer) ? awaited.nearer : can_follow(awaited.farther) ? awaited.farther : 0;
  return true;
}

CodeId CoroutineReader::label(Address coroutine) {
  const Layout &layout = objects_.layout();
  const Address frame = frame_of(coroutine);
  if (frame != 0) {
    const Address code_address = objects_.memory().pointer(frame + layout.if_code) & ~layout.reference_tag;
    const std::optional<CodeId> code = codes_.find(code_address);
    const Address qualname = objects_.memory().pointer(coroutine + layout.gen_qualname);
    if (code) {
      return codes_.named(*code, code_address, qualname);
    }
    return codes_.table().add_name(objects_.text(qualname).value_or("?"));
  }
  if (coroutine != 0 && kind_of(coroutine) == Kind::compiled) {
    return compiled_.name(coroutine).value_or(codes_.table().add_name("?"));
  }
  if (coroutine != 0 && kind_of(coroutine) == Kind::coroutine) { // it has ended, and up to 3.10 its frame is gone
    return codes_.table().add_name(
        objects_.text(objects_.memory().pointer(coroutine + objects_.layout().gen_qualname)).value_or("?"));
  }
  const TypeInfo &type = objects_.type_of_object(coroutine);
  return codes_.table().add_name(type.valid ? type.name : "?");
}

} // namespace awaitscope
