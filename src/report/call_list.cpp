#include "awaitscope/report/call_list.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

namespace awaitscope {
namespace {

constexpr std::size_t k_most_waiting = 400; ///< parts of one task, until the call that they are of ends

std::int64_t length_of(const CallList::Slow &call) { return call.to_ns - call.from_ns; }
std::int64_t length_of(const CallList::Part &part) { return part.to_ns - part.from_ns; }

void add_call(CallList &list, const CallList::Call &call) {
  if (list.complete && list.calls.size() == CallCollector::k_most_calls) {
    list.complete = false;
    list.calls = {};
  }
  if (list.complete) {
    list.calls.push_back(call);
  }
}

/// Callers first; a call ends behind those that it made, so that of equal ones the later is the caller.
void nest(std::vector<CallList::Part> &parts) {
  std::reverse(parts.begin(), parts.end());
  std::stable_sort(parts.begin(), parts.end(), [](const CallList::Part &a, const CallList::Part &b) {
    return a.from_ns != b.from_ns ? a.from_ns < b.from_ns : a.to_ns > b.to_ns;
  });
  std::vector<std::int64_t> open; // where those around end
  for (CallList::Part &part : parts) {
    while (!open.empty() && (open.back() <= part.from_ns || open.back() < part.to_ns)) {
      open.pop_back();
    }
    part.depth = static_cast<std::uint32_t>(open.size());
    open.push_back(part.to_ns);
  }
}

} // namespace

void CallCollector::add(const MeasuredCall &call) {
  const CallSpan &span = call.span;
  add_call(origins_.is_project(span.code) ? of_project_ : of_others_,
           {span.code, span.to_ns, call.length, span.begun, span.ended, span.await_ns});
  if (!call.task) {
    return;
  }
  Task &task = tasks_[*call.task];
  if (!span.entry) {
    add_part(task, span);
    return;
  }
  if (span.begun) {
    add_slow(task, span);
  }
  task.parts.clear();
}

void CallCollector::add_part(Task &task, const CallSpan &span) {
  if (task.parts.size() == k_most_waiting) {
    const auto middle = task.parts.begin() + k_most_waiting / 2;
    task.dropped_to_ns = std::prev(middle)->to_ns;
    task.parts.erase(task.parts.begin(), middle);
  }
  task.parts.push_back({span.code, span.from_ns, span.to_ns, span.await_ns, 0});
}

void CallCollector::add_slow(const Task &task, const CallSpan &span) {
  std::vector<CallList::Slow> &slowest = of_project_.slowest;
  const std::int64_t length = span.to_ns - span.from_ns;
  const auto place = std::find_if(slowest.begin(), slowest.end(),
                                  [&](const CallList::Slow &other) { return length_of(other) < length; });
  if (static_cast<std::size_t>(place - slowest.begin()) == k_slowest) {
    return;
  }
  CallList::Slow slow{span.code, span.from_ns, span.to_ns, span.await_ns, span.ended, {}, false};
  for (const CallList::Part &part : task.parts) {
    if (part.from_ns >= span.from_ns && part.to_ns <= span.to_ns) {
      slow.parts.push_back(part);
    }
  }
  nest(slow.parts);
  slow.more = task.dropped_to_ns > span.from_ns || slow.parts.size() > k_most_parts;
  if (slow.parts.size() > k_most_parts) { // the longest remain
    std::vector<std::int64_t> lengths;
    std::transform(slow.parts.begin(), slow.parts.end(), std::back_inserter(lengths),
                   [](const CallList::Part &part) { return length_of(part); });
    std::nth_element(lengths.begin(), lengths.begin() + k_most_parts - 1, lengths.end(), std::greater<>());
    const std::int64_t least = lengths[k_most_parts - 1];
    std::erase_if(slow.parts, [&](const CallList::Part &part) { return length_of(part) < least; });
    slow.parts.resize(std::min(slow.parts.size(), k_most_parts));
  }
  slowest.insert(place, std::move(slow));
  slowest.resize(std::min(slowest.size(), k_slowest));
}

CallList CallCollector::finish() {
  const bool any = !of_project_.calls.empty() || !of_project_.complete;
  CallList list = std::move(any ? of_project_ : of_others_);
  std::stable_sort(list.calls.begin(), list.calls.end(),
                   [](const CallList::Call &a, const CallList::Call &b) { return a.to_ns < b.to_ns; });
  return list;
}

} // namespace awaitscope
