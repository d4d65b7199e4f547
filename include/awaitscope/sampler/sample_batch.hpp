#pragma once

#include <functional>
#include <string>
#include <vector>

#include "awaitscope/sampler/sample_sink.hpp"

namespace awaitscope {

/// Holds samples back and hands them on many at once. At 100 Hz the caches are cold at each tick, and what is done with a
/// sample costs several times what it costs for the next one: at a tick a sample is only put aside. So are changes of tasks.
class SampleBatch final : public SampleSink {
public:
  explicit SampleBatch(SampleSink &sink) : sink_(sink), held_(k_most) {}

  void meet(const MetProcess &process) override;
  void consume(const Sample &sample, const std::string &thread_name) override;
  void consume(const TaskChange &change) override;
  void learn(const FunctionFact &fact) override { sink_.learn(fact); } // in any order

  /// Hands on what it holds, in order.
  void flush();

  /// Called before what it holds is handed on, if it holds anything: the last chance to drop() some.
  void before_flush(std::function<void()> check) { check_ = std::move(check); }

  /// Called whenever another one of them has been handed on.
  void between(std::function<void()> pause) { pause_ = std::move(pause); }

  /// Drops the samples of this process with one of these in their stacks, and tells how many. Changes of tasks are not
  /// dropped, since later ones go by them: their stacks are unreadable then.
  std::size_t drop(ThreadId process, const std::vector<CodeId> &codes);

private:
  // So many that the first one's cost does not matter, so few that the thread whose CPU this is does not feel it.
  static constexpr std::size_t k_most = 32;

  struct Held {
    bool is_change = false; ///< else a sample
    Sample sample;
    std::string thread_name;
    TaskChange change;
  };
  void added();

  SampleSink &sink_;
  std::vector<Held> held_; ///< the first count_ of them; the others keep their memory
  std::size_t count_ = 0;
  std::function<void()> check_;
  std::function<void()> pause_;
};

} // namespace awaitscope
