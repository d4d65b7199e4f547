#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "awaitscope/process/image_identity.hpp"
#include "awaitscope/process/process.hpp"
#include "awaitscope/sampler/target.hpp"

namespace awaitscope {

enum class Children : std::uint8_t { ignore, follow };

/// Watches, in a thread of its own, which programs the followed processes are: one may execute another program, and have
/// children. Where the first process is no Python (find_pythons()), and children are not followed, the nearest Python below it
/// stands for it, and when that ends the next one. Attaches to what is a Python, so that the sampling is not held up. The thread has the scheduling and the CPUs of
/// the thread that makes this: make it before those are changed.
class ProcessFollower {
public:
  /// `codes` outlives this, and the targets.
  ProcessFollower(CodeTable &codes, Children children);
  ProcessFollower(const ProcessFollower &) = delete;
  ProcessFollower &operator=(const ProcessFollower &) = delete;
  ~ProcessFollower();

  /// Begins with a process, and with the Python of it that is attached to already: itself, or one below it.
  void start(ThreadId first, ThreadId attached);

  /// What became of a process: it is another program now, or gone. With a target if it is a Python that can be read.
  struct Event {
    ThreadId pid = 0;
    std::unique_ptr<Target> target;
  };
  [[nodiscard]] bool has_events() const { return any_.load(std::memory_order_relaxed); }
  std::vector<Event> take();

  /// A followed process lives that may yet be, or start, a Python.
  [[nodiscard]] bool expects_more() const { return expecting_.load(); }

  /// Ends the watching. Returns a line for each program that was met and could not be read, up to a number, and a warning for
  /// each version that is read as presumed_warning() says.
  std::vector<std::string> finish();

  /// After finish(): its thread has not ended within a second, since what it reads of a process never comes. Then nothing is known of
  /// what was met, and this must stay until the tool ends.
  [[nodiscard]] bool is_stuck() const { return stuck_; }

private:
  struct Followed {
    std::optional<Process> process; ///< none before the first visit; tells this process from another with its PID
    ImageIdentity image;
    UniqueFd stat; ///< of a program that was attached to: see image_identity()
    bool attached = false;
    bool refused = false;
    bool replaced = false;     ///< the program before this one was attached to
    std::int64_t since_ns = 0; ///< when this program was first seen
    std::string why_not;       ///< what the last try to attach said
    unsigned looks = 0;        ///< at which program it runs
  };
  enum class Fate : std::uint8_t { lives, executing, gone };
  void run();
  void stop();
  void look();
  Fate visit(ThreadId pid, Followed &followed);
  Fate recognize(ThreadId pid, Followed &followed);
  void try_to_attach(ThreadId pid, Followed &followed);
  void find_children();
  void find_next_python();
  Followed &follow(ThreadId pid);
  void push(Event event);
  void refuse(const Followed &followed);
  void warn_of(const Layout &layout);

  CodeTable &codes_;
  Children children_;
  ThreadId first_ = 0;
  bool first_is_python_ = true;
  std::unordered_map<ThreadId, Followed> followed_; ///< only the thread's, while that runs
  std::atomic<bool> any_{false};
  std::atomic<bool> expecting_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Event> events_;
  std::vector<std::string> refusals_;
  std::size_t refused_more_ = 0; ///< those that there is no line for
  bool stopping_ = false;
  bool ended_ = false; ///< the thread
  bool stuck_ = false;
  std::thread thread_;
};

} // namespace awaitscope
