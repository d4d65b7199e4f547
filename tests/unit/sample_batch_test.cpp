#include "awaitscope/sampler/sample_batch.hpp"

#include <string>
#include <vector>

#include "catch.hpp"

using namespace awaitscope;

namespace {

/// Notes what it is given, in order.
class Notes final : public SampleSink {
public:
  void meet(const MetProcess &process) override { order.push_back("meet " + process.name); }
  void consume(const Sample &sample, const std::string &thread_name) override {
    order.push_back("sample " + thread_name);
    samples.push_back(sample);
  }
  void consume(const TaskChange &change) override {
    order.push_back("change " + change.name);
    changes.push_back(change);
  }

  std::vector<std::string> order;
  std::vector<Sample> samples;
  std::vector<TaskChange> changes;
};

Sample sample_in(ThreadId process, const std::vector<CodeId> &codes) {
  Sample sample;
  sample.process = process;
  for (const CodeId code : codes) {
    sample.stack.frames.push_back({code, 1, FrameKind::python});
  }
  return sample;
}

TaskChange change_in(ThreadId process, const std::string &name, const std::vector<CodeId> &codes) {
  TaskChange change;
  change.process = process;
  change.name = name;
  for (const CodeId code : codes) {
    change.frames.push_back({code, 1, FrameKind::python});
  }
  return change;
}

} // namespace

TEST_CASE("samples and changes of tasks are held back, and handed on in their order") {
  Notes notes;
  SampleBatch batch(notes);
  batch.consume(sample_in(1, {3}), "a");
  batch.consume(change_in(1, "x", {4}));
  batch.consume(sample_in(1, {5}), "b");
  CHECK(notes.order.empty());
  batch.flush();
  CHECK(notes.order == std::vector<std::string>{"sample a", "change x", "sample b"});
  batch.flush();
  CHECK(notes.order.size() == 3);
}

TEST_CASE("a process that is met stands behind what was held back") {
  Notes notes;
  SampleBatch batch(notes);
  batch.consume(change_in(1, "x", {4}));
  batch.meet({2, "python", {}});
  CHECK(notes.order == std::vector<std::string>{"change x", "meet python"});
}

TEST_CASE("what is held back is bounded") {
  Notes notes;
  SampleBatch batch(notes);
  for (int i = 0; i < 1000; ++i) {
    batch.consume(change_in(1, std::to_string(i), {4}));
  }
  CHECK(notes.changes.size() > 900);
}

TEST_CASE("code that was another: samples are dropped, changes of tasks are unreadable") {
  Notes notes;
  SampleBatch batch(notes);
  std::size_t dropped = 0;
  batch.before_flush([&] { dropped += batch.drop(1, {7}); });
  batch.consume(sample_in(1, {3, 7}), "wrong");
  batch.consume(sample_in(2, {3, 7}), "of another process");
  batch.consume(change_in(1, "wrong", {7, 3}));
  batch.consume(change_in(2, "of another process", {7}));
  batch.consume(sample_in(1, {3}), "right");
  batch.flush();
  CHECK(dropped == 1);
  CHECK(notes.order == std::vector<std::string>{"sample of another process", "change wrong",
                                                "change of another process", "sample right"});
  REQUIRE(notes.changes.size() == 2);
  REQUIRE(notes.changes[0].frames.size() == 1);
  CHECK(notes.changes[0].frames[0].kind == FrameKind::unreadable);
  CHECK(notes.changes[0].new_from == 0); // no call goes on through it
  CHECK(notes.changes[1].frames[0].code == 7);
}
