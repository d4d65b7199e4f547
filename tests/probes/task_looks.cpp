// usage: task_looks PID COUNT MICROSECONDS
//
// Takes COUNT snapshots of that live process, so long after one another, and prints what was seen of its tasks, each kind of
// sight once, as one JSON object: {"looks", "given_up": those in which threads ran on throughout, "tasks": seen in the
// others, "sights": [[name, coroutine, state, [[function, file, line]…], [[waiter's name, same number]…], count]…]}.
// What follows a # in the name of a task is a number, and not part of a sight. Exit status 1 if the process cannot be read.
#include <charconv>
#include <exception>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "awaitscope/sampler/preempt_engine.hpp"
#include "awaitscope/sampler/snapshot_taker.hpp"

namespace {

using namespace awaitscope;

struct Name {
  std::string text;
  std::string number;
};

Name parted(const std::string &name) {
  const std::size_t at = name.find('#');
  return at == std::string::npos ? Name{name, {}} : Name{name.substr(0, at), name.substr(at + 1)};
}

nlohmann::json frames_of(const TaskSnapshot &task, const CodeTable &codes) {
  nlohmann::json frames = nlohmann::json::array();
  for (const Frame &frame : task.frames) {
    if (frame.kind == FrameKind::unreadable) {
      frames.push_back({"[unreadable]", "", 0});
    } else {
      frames.push_back({codes.at(frame.code).function, codes.at(frame.code).file, frame.line});
    }
  }
  return frames;
}

class Looks {
public:
  void add(const ProcessSnapshot &snapshot, const CodeTable &codes) {
    std::map<Address, Name> names;
    for (const TaskSnapshot &task : snapshot.tasks) {
      names.emplace(task.id, parted(task.name));
    }
    for (const TaskSnapshot &task : snapshot.tasks) {
      const Name &own = names.at(task.id);
      nlohmann::json waiters = nlohmann::json::array();
      for (const Address id : task.awaited_by) {
        const auto waiter = names.find(id);
        waiters.push_back(waiter == names.end()
                              ? nlohmann::json{"[nobody]", false}
                              : nlohmann::json{waiter->second.text, waiter->second.number == own.number});
      }
      const nlohmann::json sight{own.text, codes.at(task.coroutine).function, static_cast<int>(task.state),
                                 frames_of(task, codes), std::move(waiters)};
      ++sights_[sight.dump()];
      ++tasks_;
    }
  }

  [[nodiscard]] nlohmann::json told(int looks, int given_up) const {
    nlohmann::json sights = nlohmann::json::array();
    for (const auto &[text, count] : sights_) {
      sights.push_back(nlohmann::json::parse(text));
      sights.back().push_back(count);
    }
    return {{"looks", looks}, {"given_up", given_up}, {"tasks", tasks_}, {"sights", std::move(sights)}};
  }

private:
  std::map<std::string, std::uint64_t> sights_;
  std::uint64_t tasks_ = 0;
};

int run(ThreadId pid, int count, int microseconds) {
  Result<Process> process = Process::open(pid);
  if (!process) {
    std::cerr << process.error().what << '\n';
    return 1;
  }
  CodeTable codes;
  Target target(std::move(*process), codes);
  if (const Result<void> attached = target.attach(); !attached) {
    std::cerr << attached.error().what << '\n';
    return 1;
  }
  PreemptEngine engine;
  Looks looks;
  int given_up = 0;
  for (int i = 0; i < count; ++i) {
    const Result<ProcessSnapshot> snapshot = take_snapshot(target, engine, MayStop::never);
    if (!snapshot && !target.process().alive()) {
      std::cerr << snapshot.error().what << '\n';
      return 1;
    }
    if (!snapshot || !snapshot->consistent) {
      ++given_up;
    } else {
      looks.add(*snapshot, codes);
    }
    ::usleep(static_cast<useconds_t>(microseconds));
  }
  std::cout << looks.told(count, given_up).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  return 0;
}

bool number(std::string_view word, int &value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return !word.empty() && error == std::errc{} && end == word.data() + word.size() && value >= 0;
}

} // namespace

int main(int argc, char **argv) {
  int pid = 0;
  int count = 0;
  int microseconds = 0;
  if (argc != 4 || !number(argv[1], pid) || !number(argv[2], count) || !number(argv[3], microseconds)) {
    std::cerr << "usage: task_looks PID COUNT MICROSECONDS\n";
    return 2;
  }
  try {
    return run(pid, count, microseconds);
  } catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
