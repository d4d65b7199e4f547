#include "awaitscope/sampler/native_threads.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "awaitscope/support/clock.hpp"
#include "awaitscope/support/text.hpp"

namespace awaitscope {

void NativeThreads::consume(ThreadId tid, const Thread &thread, std::uint64_t cpu_ns, std::uint64_t weight,
                            SampleSink &sink) {
  Sample sample;
  sample.time_ns = monotonic_ns();
  sample.process = process_.pid();
  sample.tid = tid;
  sample.cpu_ns = accounts_.take(tid, cpu_ns);
  sample.weight = weight;
  sink.consume(sample, thread.name);
}

void NativeThreads::account(const std::function<bool(ThreadId)> &is_python, SampleSink &sink) {
  const std::vector<ThreadId> tids = process_.threads(); // ascending
  std::erase_if(threads_, [&](auto &entry) {
    const bool ended = !std::binary_search(tids.begin(), tids.end(), entry.first);
    if (ended) {
      accounts_.forget(entry.first);
    }
    return ended || is_python(entry.first);
  });
  for (const ThreadId tid : tids) {
    if (is_python(tid)) {
      continue;
    }
    const auto known = threads_.find(tid);
    if (known == threads_.end()) {
      if (threads_.size() < k_most) {
        threads_.emplace(tid, Thread{ThreadWatch(process_.pid(), tid), {}, false});
      }
      continue;
    }
    Thread &thread = known->second;
    if (thread.name.empty()) {
      thread.name = valid_utf8(process_.thread_name(tid));
    }
    const std::uint64_t cpu_ns = thread.watch.schedstat().value_or(SchedStat{}).cpu_ns; // 0: it has ended
    const auto ticks = static_cast<std::uint64_t>(static_cast<double>(accounts_.since(tid, cpu_ns)) / period_ns_);
    if (ticks > 0) {
      thread.sampled = true;
      consume(tid, thread, cpu_ns, ticks, sink);
    }
  }
}

void NativeThreads::finish(SampleSink &sink) {
  for (auto &[tid, thread] : threads_) {
    const std::optional<SchedStat> stat = thread.watch.schedstat();
    if (thread.sampled && stat) {
      consume(tid, thread, stat->cpu_ns, 0, sink);
    }
  }
}

} // namespace awaitscope
