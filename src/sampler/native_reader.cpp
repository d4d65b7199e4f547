#include "awaitscope/sampler/native_reader.hpp"

#include <algorithm>

#include "awaitscope/integrations/interpreter_functions.hpp"
#include "awaitscope/support/clock.hpp"

namespace awaitscope {

NativeReader::NativeReader(const Process &process, CodeTable &codes)
    : process_(process), codes_(codes), images_(process), unwinder_(images_), symbolizer_(process, images_),
      refreshed_ns_(monotonic_ns()) {}

/// What is mapped may have changed since: libraries are loaded at any time.
bool NativeReader::refresh_at_times() {
  constexpr std::int64_t k_pause_ns = k_ns_per_second / 10;
  return monotonic_ns() - refreshed_ns_ >= k_pause_ns && refresh();
}

bool NativeReader::refresh() {
  refreshed_ns_ = monotonic_ns();
  if (!images_.refresh()) {
    return false;
  }
  unwinder_.forget();
  symbolizer_.forget();
  return true;
}

void NativeReader::copy_stack(RegistersAndStack &copy) {
  constexpr Address k_page = 4096;
  constexpr Address k_of_new_thread =
      256 * 1024; // it is mapped since: to find out where takes longer than to read too much
  const Address begin = copy.stack_pointer();
  const Address end = images_.end_of_stack(begin).value_or(begin + k_of_new_thread);
  copy.stack.resize(std::min<Address>(end - begin, k_max_stack));
  // Up to where it can be read: an unmapped page ends what is copied.
  const RemoteRange range{begin, copy.stack.size()};
  ProcessMemory memory = process_.memory();
  RemoteMemory::Outcome outcome = memory.read(std::span(&range, 1), copy.stack.data());
  if (outcome.status != ReadStatus::ok) {
    outcome.bytes = std::min<std::size_t>(outcome.bytes, copy.stack.size());
    outcome.bytes -= outcome.bytes % sizeof(Address);
    const std::size_t of_page = k_page - begin % k_page;
    outcome.bytes = outcome.bytes == 0 && of_page < copy.stack.size() &&
                            memory.read(begin, copy.stack.data(), of_page) == ReadStatus::ok
                        ? of_page
                        : outcome.bytes;
    copy.stack.resize(outcome.bytes);
  }
}

/// Whether it has a name.
bool NativeReader::name(NativeFrame &frame) {
  const NativeName &name = symbolizer_.name_of(frame.instruction);
  frame.code = codes_.add_name(name.symbol, name.library);
  frame.role = native_role(name.named ? std::string_view(name.symbol) : std::string_view(),
                           name.of_python ? NativeLibrary::interpreter : NativeLibrary::other);
  return name.named;
}

void NativeReader::read(const RegistersAndStack &copy, NativeStack &stack) {
  unwinder_.unwind(copy, stack);
  const bool astray = stack.loss == NativeLoss::bad_address || stack.loss == NativeLoss::no_unwind_info;
  if (astray && refresh_at_times()) {
    unwinder_.unwind(copy, stack);
  }
  bool at_start =
      stack.loss == NativeLoss::none; // what comes before the first function with a name is of the C library
  for (auto frame = stack.frames.rbegin(); frame != stack.frames.rend(); ++frame) {
    const bool named = name(*frame);
    at_start = at_start && (!named || frame->role == NativeRole::start);
    frame->role = at_start ? NativeRole::start : frame->role;
  }
}

NativeMerge NativeReader::merge(const RegistersAndStack *copy, NativeLoss without, const PythonStack &python,
                                std::span<const Evaluation> evaluations, InterpreterFrames interpreter) {
  stack_.frames.clear();
  stack_.loss = without;
  if (copy != nullptr) {
    read(*copy, stack_);
  }
  const auto &frames = python.frames;
  const bool whole = frames.empty() || frames.front().frame.kind != FrameKind::unreadable;
  return merge_native(frames.size(), whole ? evaluations : std::span<const Evaluation>(), stack_, interpreter);
}

} // namespace awaitscope
