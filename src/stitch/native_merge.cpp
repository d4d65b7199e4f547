#include "awaitscope/stitch/native_merge.hpp"

#include <algorithm>
#include <optional>

namespace awaitscope {
namespace {

/// The native frame of each evaluation, as an index (leaf first), root first; none for those towards the root of what was unwound.
using Places = std::vector<std::optional<std::size_t>>;

std::optional<std::size_t> frame_of(const NativeStack &native, Address on_stack) {
  const auto found = std::find_if(native.frames.begin(), native.frames.end(), [&](const NativeFrame &frame) {
    return frame.stack_begin <= on_stack && on_stack < frame.stack_end;
  });
  return found == native.frames.end() ? std::nullopt : std::optional(found - native.frames.begin());
}

/// Whether a frame of the loop runs none of the known frames, though it stands below one that does, or below others of its kind.
bool has_stranger(const NativeStack &native, const Places &places) {
  std::size_t strangers_at_leaf = 0;
  const std::size_t innermost = places.empty() ? native.frames.size() : places.back().value_or(native.frames.size());
  for (std::size_t i = 0; i < native.frames.size(); ++i) {
    const NativeFrame &frame = native.frames[i];
    const bool cut =
        native.loss != NativeLoss::none && i + 1 == native.frames.size(); // its part of the stack is not known
    if (frame.role != NativeRole::evaluation || cut ||
        std::find(places.begin(), places.end(), std::optional(i)) != places.end()) {
      continue;
    }
    if (i > innermost || ++strangers_at_leaf > 1) {
      return true;
    }
  }
  return false;
}

std::optional<Places> places_by_address(std::span<const Evaluation> evaluations, const NativeStack &native) {
  Places places;
  for (const Evaluation &evaluation : evaluations) {
    const std::optional<std::size_t> place = frame_of(native, evaluation.on_stack);
    const std::optional<std::size_t> below = places.empty() ? std::nullopt : places.back();
    const bool in_order = below ? place && *place < *below : place || native.loss != NativeLoss::none;
    if (!in_order) {
      return std::nullopt;
    }
    places.push_back(place);
  }
  return has_stranger(native, places) ? std::nullopt : std::optional(std::move(places));
}

std::optional<Places> places_by_order(std::span<const Evaluation> evaluations, const NativeStack &native) {
  Places places;
  for (std::size_t i = native.frames.size(); i-- > 0;) {
    if (native.frames[i].role == NativeRole::evaluation) {
      places.emplace_back(i);
    }
  }
  if (places.size() == evaluations.size() + 1) {
    const auto leaf_end = native.frames.begin() + static_cast<std::ptrdiff_t>(*places.back());
    const bool plain = std::all_of(native.frames.begin(), leaf_end,
                                   [](const NativeFrame &frame) { return frame.role == NativeRole::interpreter; });
    places.resize(plain ? evaluations.size() : places.size());
  }
  return places.size() == evaluations.size() ? std::optional(std::move(places)) : std::nullopt;
}

NativeMerge marked(std::size_t count, NativeLoss loss) {
  NativeMerge merge;
  merge.before.resize(count + 1);
  merge.before.back().push_back(k_native_unreadable_frame);
  merge.loss = loss;
  return merge;
}

} // namespace

NativeMerge merge_native(std::size_t count, std::span<const Evaluation> evaluations, const NativeStack &native,
                         InterpreterFrames interpreter) {
  const bool by_address = std::all_of(evaluations.begin(), evaluations.end(),
                                      [](const Evaluation &evaluation) { return evaluation.on_stack != 0; });
  if (!by_address && native.loss != NativeLoss::none) {
    return marked(count, native.loss);
  }
  const std::optional<Places> places =
      by_address ? places_by_address(evaluations, native) : places_by_order(evaluations, native);
  const bool some = count == 0 || !evaluations.empty();
  const bool ordered = std::all_of(evaluations.begin(), evaluations.end(),
                                   [&](const Evaluation &evaluation) { return evaluation.first <= count; });
  if (!places || !ordered || !some) {
    return marked(count, NativeLoss::mismatch);
  }
  NativeMerge merge;
  merge.before.resize(count + 1);
  merge.loss = native.loss;
  std::size_t evaluation = 0; // the next one towards the leaf
  while (evaluation < places->size() && !(*places)[evaluation]) {
    ++evaluation;
  }
  const auto place = [&]() -> std::vector<Frame> & {
    return merge.before[evaluation < places->size() ? evaluations[evaluation].first : count];
  };
  if (native.loss != NativeLoss::none) {
    place().push_back(k_native_unreadable_frame);
  }
  for (std::size_t i = native.frames.size(); i-- > 0;) {
    const NativeFrame &frame = native.frames[i];
    if (interpreter == InterpreterFrames::keep || frame.role == NativeRole::code) {
      place().push_back({frame.code, 0, FrameKind::native});
    }
    if (evaluation < places->size() && (*places)[evaluation] == i) {
      ++evaluation;
    }
  }
  return merge;
}

} // namespace awaitscope
