#include "awaitscope/stitch/native_merge.hpp"

#include <string>

#include "catch.hpp"

using namespace awaitscope;

namespace {

/// A native stack from the root to the leaf: E the interpreter's loop, i how it calls, s how a program starts, any other letter code
/// of that name. The frame number i from the root has the stack from 1000 - 10 i - 9 to 1000 - 10 i.
NativeStack native_stack(const std::string &letters, NativeLoss loss = NativeLoss::none) {
  NativeStack stack;
  stack.loss = loss;
  for (std::size_t i = letters.size(); i-- > 0;) {
    NativeFrame frame;
    frame.stack_end = 1000 - 10 * i;
    frame.stack_begin = frame.stack_end - 10;
    frame.code = static_cast<CodeId>(static_cast<unsigned char>(letters[i]));
    frame.role = letters[i] == 'E'   ? NativeRole::evaluation
                 : letters[i] == 'i' ? NativeRole::interpreter
                 : letters[i] == 's' ? NativeRole::start
                                     : NativeRole::code;
    stack.frames.push_back(frame);
  }
  return stack;
}

/// An evaluation that keeps something in the stack of the native frame with that number from the root.
Evaluation evaluation(std::size_t frame, std::size_t first) { return {1000 - 10 * frame - 5, first}; }

/// Python frames as digits, native ones as letters, marks as '?'.
std::string merged(std::size_t count, const std::vector<Evaluation> &evaluations, const NativeStack &native,
                   InterpreterFrames interpreter = InterpreterFrames::fold) {
  const NativeMerge merge = merge_native(count, evaluations, native, interpreter);
  REQUIRE(merge.before.size() == count + 1);
  std::string text;
  for (std::size_t i = 0; i <= count; ++i) {
    for (const Frame &frame : merge.before[i]) {
      text += frame.kind == FrameKind::native_unreadable ? '?' : static_cast<char>(frame.code);
    }
    text += i < count ? std::to_string(i) : "";
  }
  CHECK((text.find('?') != std::string::npos) == (merge.loss != NativeLoss::none));
  return text;
}

std::vector<Evaluation> one_each(std::size_t count) {
  std::vector<Evaluation> evaluations;
  for (std::size_t i = 0; i < count; ++i) {
    evaluations.push_back({0, i});
  }
  return evaluations;
}

/// Python frames as their number in the thread's own stack, from 'A' on; of another stack as '.', native frames as letters.
std::string text_of(const Lineage &lineage) {
  std::string text;
  for (const StackSegment &segment : lineage.segments) {
    text += text.empty() ? "" : "|";
    for (const Frame &frame : segment.frames) {
      text += static_cast<char>(frame.code);
    }
  }
  return text;
}

StackSegment segment_of(const std::string &letters, std::vector<OwnFrames> own) {
  StackSegment segment;
  for (const char letter : letters) {
    segment.frames.push_back({static_cast<CodeId>(static_cast<unsigned char>(letter)), 1, FrameKind::python});
  }
  segment.own = std::move(own);
  return segment;
}

} // namespace

TEST_CASE("native frames stand between the Python frames that one evaluation each runs", "[native]") {
  CHECK(merged(2, one_each(2), native_stack("sEiE")) == "01");
  CHECK(merged(3, one_each(3), native_stack("sEiEcdiEx")) == "01cd2x");
  CHECK(merged(3, one_each(3), native_stack("smEaEbEc")) == "m0a1b2c");
}

TEST_CASE("one more evaluation at the leaf begins or ends", "[native]") {
  CHECK(merged(2, one_each(2), native_stack("sEiEciE")) == "01c");
  CHECK(merged(2, one_each(2), native_stack("sEiEciEi")) == "01c");
  CHECK(merged(2, one_each(2), native_stack("sEiEciEx")) == "01?");
}

TEST_CASE("evaluations that are not those of the Python frames leave these as they are", "[native]") {
  CHECK(merged(3, one_each(3), native_stack("sEiEc")) == "012?");
  CHECK(merged(1, one_each(1), native_stack("sEiEiEc")) == "0?");
  CHECK(merged(2, {}, native_stack("sEc")) == "01?");
}

TEST_CASE("without addresses a part of a stack places nothing", "[native]") {
  CHECK(merged(2, one_each(2), native_stack("Ec", NativeLoss::short_stack)) == "01?");
}

TEST_CASE("one evaluation runs many Python frames", "[native]") {
  CHECK(merged(5, {evaluation(1, 0), evaluation(4, 3)}, native_stack("sEcdEx")) == "012cd34x");
  CHECK(merged(3, {evaluation(1, 0), evaluation(3, 3)}, native_stack("sEcE")) == "012c");
}

TEST_CASE("an evaluation is known by its stack, whatever its function is called", "[native]") {
  CHECK(merged(4, {evaluation(1, 0), evaluation(4, 2)}, native_stack("siciix")) == "01c23x");
}

TEST_CASE("of a stack that was unwound in part, that part is placed", "[native]") {
  CHECK(merged(4, {{5000, 0}, evaluation(1, 2)}, native_stack("aEx", NativeLoss::short_stack)) == "01?a23x");
  CHECK(merged(2, {{5000, 0}}, native_stack("ab", NativeLoss::no_unwind_info)) == "01?ab");
  CHECK(merged(2, {{5000, 0}}, native_stack("", NativeLoss::not_stopped)) == "01?");
}

TEST_CASE("an evaluation that lies elsewhere leaves the Python frames as they are", "[native]") {
  CHECK(merged(2, {{5000, 0}}, native_stack("sEx")) == "01?");
  CHECK(merged(2, {evaluation(3, 0), evaluation(1, 1)}, native_stack("sEcEx")) == "01?");
  CHECK(merged(2, {evaluation(3, 0)}, native_stack("sEcEx")) == "01?");
  CHECK(merged(2, {evaluation(1, 0), {5000, 1}}, native_stack("sEcx")) == "01?");
}

TEST_CASE("a new evaluation at the leaf runs no Python frame yet", "[native]") {
  CHECK(merged(2, {evaluation(1, 0)}, native_stack("sEciE")) == "01c");
}

TEST_CASE("a thread without Python frames is its native frames", "[native]") {
  CHECK(merged(0, {}, native_stack("sab")) == "ab");
  CHECK(merged(0, {}, native_stack("ab", NativeLoss::loop)) == "?ab");
}

TEST_CASE("the interpreter's frames are kept on demand", "[native]") {
  CHECK(merged(3, {evaluation(1, 0), evaluation(4, 2)}, native_stack("sEiiEx"), InterpreterFrames::keep) ==
        "sE01iiE2x");
}

TEST_CASE("native frames follow their callers into the segments of a lineage", "[native]") {
  const NativeMerge merge = merge_native(4, one_each(4), native_stack("smEaEbiEcEd"), InterpreterFrames::fold);
  Lineage lineage;
  // Leaf first: the task that the thread runs, one that waits for it, the loop's frames.
  lineage.segments.push_back(segment_of("CD", {{0, 2, 2}}));
  lineage.segments.push_back(segment_of("..", {}));
  lineage.segments.push_back(segment_of("AB", {{0, 0, 2}}));
  insert_frames(merge.before, lineage);
  CHECK(text_of(lineage) == "CcDd|..|mAaBb");
}

TEST_CASE("frames of another stack stay between a thread's own", "[native]") {
  const NativeMerge merge = merge_native(3, one_each(3), native_stack("sEaEbEc"), InterpreterFrames::fold);
  Lineage lineage;
  lineage.segments.push_back(segment_of("A.B.C.", {{0, 0, 1}, {2, 1, 1}, {4, 2, 1}}));
  insert_frames(merge.before, lineage);
  CHECK(text_of(lineage) == "Aa.Bb.Cc.");
}

TEST_CASE("callers that are no part of a lineage have no native frames in it", "[native]") {
  const NativeMerge merge = merge_native(3, one_each(3), native_stack("sEaEbEc"), InterpreterFrames::fold);
  Lineage lineage;
  lineage.segments.push_back(segment_of("C", {{0, 2, 1}}));
  insert_frames(merge.before, lineage);
  CHECK(text_of(lineage) == "Cc");
}
