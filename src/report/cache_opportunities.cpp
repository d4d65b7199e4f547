#include "awaitscope/report/cache_opportunities.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "awaitscope/integrations/impure_names.hpp"
#include "awaitscope/report/function_numbers.hpp"
#include "awaitscope/report/hot.hpp"
#include "awaitscope/report/plain_calls.hpp"
#include "awaitscope/report/traced.hpp"
#include "cache_reasons.hpp"

namespace awaitscope {
namespace {

constexpr double k_worth_it = 0.01;          // of the profile
constexpr std::uint64_t k_enough_calls = 20; // that must be judged to recommend anything
constexpr std::uint64_t k_few = 50;          // as -f latency: one of so many is not enough to speak of all
constexpr std::size_t k_examples = 3;
constexpr std::uint64_t k_lookup_ns = 1000; // with what a trace itself adds to the time of a call

/// A call whose arguments may be known.
struct Call {
  std::int64_t began_ns = 0;
  KeyId key = 0;
  double seen = 1; ///< samples, those aside in which its thread waited for a CPU
  double cost = 0;
  bool raised = false;
};

/// The calls of one function.
struct GatheredCalls {
  CodeId code = 0;
  bool measured = false;
  std::uint64_t alike = 0;
  std::vector<Call> calls;
  std::map<KeyId, std::pair<std::uint64_t, bool>> returns; ///< by key: the first hash, and whether all are that
  bool repeats = false;                                    ///< of the traced ones
  bool unknown_return = false;                             ///< one that callers could change, or that was not read
  std::uint64_t lost = 0;
  std::map<std::uint32_t, OuterCalls> by_thread; ///< of the traced ones
};

/// What two calls need in common for a hit.
enum class Equality : std::uint8_t {
  proven,       ///< arguments that are certainly equal
  same_objects, ///< or objects at the same address: when one has died another may stand there
  without_self, ///< arguments that are certainly equal, whatever `self` is
};

/// Keys by number, as far as they stand for equal arguments: those of two code objects of one function may.
class KeyNumbers {
public:
  /// `told_apart`: one address in keys is one object, as the agent of a trace sees to.
  KeyNumbers(const RecordingTables &tables, bool told_apart, Equality equality)
      : tables_(tables), told_apart_(told_apart), equality_(equality) {}

  std::size_t number(KeyId id) {
    const ArgumentKey &key = tables_.keys[id].key;
    const bool with_self = equality_ != Equality::without_self;
    const ValueTrait unproven = with_self ? ValueTrait::identity : ValueTrait::others_identity;
    if (!told_apart_ && equality_ != Equality::same_objects && has(key.traits, unproven)) {
      return k_single + singles_++;
    }
    const auto parts = std::make_tuple(with_self ? key.self : 0, key.others, with_self ? key.state : 0);
    return numbers_.try_emplace(parts, numbers_.size()).first->second;
  }

private:
  static constexpr std::size_t k_single = SIZE_MAX / 2; // from here on: keys that equal no other one

  const RecordingTables &tables_;
  bool told_apart_;
  Equality equality_;
  std::size_t singles_ = 0;
  std::map<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>, std::size_t> numbers_;
};

HitEstimate hits_of(const std::vector<Call> &calls, const RecordingTables &tables, bool measured, Equality equality) {
  KeyNumbers numbers(tables, measured, equality);
  std::vector<KeyedCall> keyed;
  keyed.reserve(calls.size());
  for (const Call &call : calls) {
    if (call.seen == 0) { // as if these samples had not been taken
      continue;
    }
    keyed.push_back({numbers.number(call.key), call.seen, call.cost, call.raised});
  }
  return measured ? measure_hits(keyed) : estimate_hits(keyed);
}

/// Was one object seen with attributes that were not what they were, or another one in its place?
bool state_changes(const std::vector<Call> &calls, const RecordingTables &tables) {
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> states;
  return std::any_of(calls.begin(), calls.end(), [&](const Call &call) {
    const ArgumentKey &key = tables.keys[call.key].key;
    return states.try_emplace({key.self, key.others}, key.state).first->second != key.state;
  });
}

std::vector<std::string> examples_of(const std::vector<Call> &calls, const RecordingTables &tables) {
  std::map<TextId, std::uint64_t> counts;
  for (const Call &call : calls) {
    if (const TextId shown = tables.keys[call.key].shown; shown != 0) {
      ++counts[shown];
    }
  }
  std::vector<std::pair<std::uint64_t, TextId>> order;
  order.reserve(counts.size());
  for (const auto &[shown, count] : counts) {
    order.emplace_back(count, shown);
  }
  std::sort(order.rbegin(), order.rend());
  std::vector<std::string> examples;
  for (std::size_t i = 0; i < std::min(order.size(), k_examples); ++i) {
    examples.push_back(fmt::format("{} × {}", order[i].first, tables.texts[order[i].second]));
  }
  return examples;
}

std::optional<bool> confirmed(const GatheredCalls &gathered) {
  if (!gathered.measured) {
    return std::nullopt;
  }
  const bool differ = std::any_of(gathered.returns.begin(), gathered.returns.end(),
                                  [](const auto &known) { return !known.second.second; });
  if (differ || gathered.unknown_return) {
    return false;
  }
  return gathered.repeats ? std::optional(true) : std::nullopt;
}

/// Gathers what a recording says of calls, row by row.
class Gatherer {
public:
  Gatherer(const RecordingTables &tables, std::int64_t period_ns, const TimeRange &range, const Filter &filter)
      : tables_(tables), numbers_(tables.codes), range_(range), filter_(filter),
        spans_(tables, period_ns, [this](const PlainCallSpans::Call &call) { add(call); }) {}

  /// The samples of a block, with what is known of their arguments.
  void add(const std::vector<SampleRun> &runs, const std::vector<RecordedSeenCall> &seen) {
    auto next = seen.begin();
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const auto end = std::find_if(next, seen.end(), [&](const RecordedSeenCall &call) { return call.row != i; });
      spans_.add(runs[i], {next, end});
      for (; next != end; ++next) {
        if (next->from_leaf >= runs[i].calls.count) { // a coroutine or a generator: its calls are not followed
          add(next->code, {runs[i].first_ns, next->key, 1, 0}, runs[i].thread);
        }
      }
      last_ns_ = std::max(last_ns_, runs[i].last_ns);
    }
  }

  void add(const RecordedTracedCall &traced) {
    const Call call{traced.begin_ns, traced.key, 1,
                    static_cast<double>(traced.cpu_ns != 0 ? traced.cpu_ns : traced.duration_ns), traced.raised};
    GatheredCalls *function = add(traced.code, call, traced.thread);
    if (function == nullptr) {
      return;
    }
    function->measured = true;
    function->by_thread[traced.thread].add({traced.begin_ns, traced.duration_ns, traced.cpu_ns});
    const bool readable = (traced.return_traits & (ValueTrait::unhashable | ValueTrait::unread)) == 0;
    const bool returned = !traced.raised && !traced.unfinished;
    function->unknown_return = function->unknown_return || (!readable && returned);
    if (tables_.keys[traced.key].key.judged() && traced.key != 0 && returned) {
      const auto [known, is_first] = function->returns.try_emplace(traced.key, traced.returned, true);
      function->repeats = function->repeats || !is_first;
      known->second.second = known->second.second && known->second.first == traced.returned;
    }
  }

  void add(const RecordedLostCalls &lost) {
    if (GatheredCalls *function = find(lost.code); function != nullptr) {
      function->lost += lost.calls;
    }
  }

  std::vector<GatheredCalls> finish(std::int64_t end_ns) {
    spans_.finish(std::max(last_ns_, end_ns));
    return std::move(functions_);
  }

  FunctionNumbers &numbers() { return numbers_; }

private:
  GatheredCalls *find(CodeId code) {
    if (!passes(tables_.codes.at(code), filter_.functions)) {
      return nullptr;
    }
    const std::size_t number = numbers_.number(code);
    functions_.resize(std::max(functions_.size(), number + 1));
    functions_[number].code = code;
    return &functions_[number];
  }

  GatheredCalls *add(CodeId code, const Call &call, std::uint32_t thread) {
    const bool inside = call.began_ns >= range_.since_ns && call.began_ns <= range_.until_ns;
    if (!inside || !passes_process(tables_.texts[tables_.threads[thread].process], filter_)) {
      return nullptr;
    }
    GatheredCalls *function = find(code);
    if (function != nullptr) {
      function->calls.push_back(call);
    }
    return function;
  }

  void add(const PlainCallSpans::Call &call) {
    if (!call.key) {
      return;
    }
    // One that a single sample has seen may stand for several ticks. While its thread waits for a CPU a call gets no further: of a
    // busy machine such samples would make long calls of short ones.
    const bool once = call.span.first_seen_ns == call.span.last_seen_ns;
    const std::uint64_t seen = call.samples - call.queued;
    GatheredCalls *function =
        add(call.span.code,
            {call.span.first_seen_ns, *call.key, static_cast<double>(once ? std::min<std::uint64_t>(seen, 1) : seen),
             static_cast<double>(call.running)},
            call.thread);
    if (function != nullptr) {
      function->alike += call.alike ? 1 : 0;
    }
  }

  const RecordingTables &tables_;
  FunctionNumbers numbers_;
  const TimeRange &range_;
  const Filter &filter_;
  PlainCallSpans spans_;
  std::vector<GatheredCalls> functions_; ///< by number
  std::int64_t last_ns_ = 0;
};

CacheOpportunity opportunity_of(GatheredCalls &gathered, const RecordingTables &tables) {
  CacheOpportunity made;
  made.code = gathered.code;
  made.measured = gathered.measured;
  made.calls = gathered.calls.size() + gathered.lost;
  made.merged = gathered.alike * k_few > gathered.calls.size();
  made.confirmed = confirmed(gathered);
  std::vector<Call> &calls = gathered.calls;
  made.hashable = std::none_of(calls.begin(), calls.end(), [&](const Call &call) {
    return has(tables.keys[call.key].key.traits, ValueTrait::unhashable);
  });
  std::erase_if(calls, [&](const Call &call) { return call.key == 0 || !tables.keys[call.key].key.judged(); });
  std::stable_sort(calls.begin(), calls.end(), [](const Call &a, const Call &b) { return a.began_ns < b.began_ns; });
  made.judged = calls.size();
  made.hits = hits_of(calls, tables, made.measured, Equality::proven);
  std::set<std::uint64_t> selves;
  for (const Call &call : calls) {
    const ArgumentKey &key = tables.keys[call.key].key;
    made.by_identity += has(key.traits, ValueTrait::identity) ? 1U : 0U;
    made.may_equal += has(key.traits, ValueTrait::may_equal) ? 1U : 0U;
    selves.insert(key.self);
  }
  if (!made.measured && made.by_identity > 0) {
    made.hits_if_same = hits_of(calls, tables, made.measured, Equality::same_objects);
    made.hits.distinct = made.hits_if_same->distinct; // addresses: what was seen
  }
  selves.erase(0);
  made.selves = selves.size();
  if (!selves.empty()) {
    made.hit_rate_without_self = hits_of(calls, tables, made.measured, Equality::without_self).unbounded().hit_rate;
  }
  made.examples = examples_of(calls, tables);
  return made;
}

/// Which functions call others that do more than to compute: of each stack, what stands below them in it.
void add_callee_effects(KnownFunctions &known, FunctionNumbers &numbers, const RecordingTables &tables,
                        const StackCosts &costs) {
  std::map<CodeId, std::string> effects;
  const auto effect_of = [&](CodeId code) -> const std::string & {
    const auto [found, is_new] = effects.try_emplace(code);
    if (is_new) {
      const CodeInfo &info = tables.codes.at(code);
      std::string effect(effect_of_file(info.file));
      effect = effect.empty() ? known.effect_of(numbers.number(code)) : effect;
      found->second = effect.empty() ? effect : fmt::format("calls {}, which {}", info.function, effect);
    }
    return found->second;
  };
  for (const auto &[key, cost] : costs.stacks()) {
    const std::vector<Frame> frames = tables.stacks.frames(key.stack);
    std::string below;
    for (auto frame = frames.rbegin(); frame != frames.rend(); ++frame) {
      if (frame->kind != FrameKind::python) {
        below.clear(); // another task
        continue;
      }
      if (tables.codes.at(frame->code).file.starts_with("<frozen importlib.")) {
        below.clear(); // a module that is imported: once
        continue;
      }
      if (!below.empty()) {
        known.add_callee_effect(numbers.number(frame->code), below);
      }
      const std::string &effect = effect_of(frame->code);
      below = below.empty() ? effect : below;
    }
  }
}

void judge(CacheOpportunity &function, const KnownFunctions &known, std::size_t number, const RecordingTables &tables,
           const std::vector<Call> &calls, std::uint64_t profile_ns) {
  std::vector<std::string> &reasons = function.reasons;
  reasons = known.refusals(number, function);
  if (function.confirmed == true && known.does_more(number)) {
    function.confirmed = false;
  }
  const bool only_self = !calls.empty() && std::all_of(calls.begin(), calls.end(), [&](const Call &call) {
    const ArgumentKey &key = tables.keys[call.key].key;
    return key.self != 0 && key.others == 0;
  });
  if (only_self && reasons.empty()) {
    reasons.emplace_back("has no argument but self: functools.cached_property keeps its value with the object");
  }
  if (function.confirmed != true && state_changes(calls, tables)) {
    reasons.emplace_back(
        "an argument that is compared by identity changes between calls, or is another object each time");
  }
  if (const std::uint64_t cost_ns = function.cpu_ns / std::max<std::uint64_t>(1, function.calls);
      reasons.empty() && function.measured && cost_ns < k_lookup_ns) {
    reasons.push_back(fmt::format("takes {} ns a call: a cache's lookup takes about as long", cost_ns));
  }
  if (reasons.empty() && function.judged < k_enough_calls) {
    reasons.push_back(fmt::format("only {} calls were seen: record for longer", function.judged));
  }
  const auto pays = [&](const HitEstimate &hits) {
    return profile_ns == 0 ||
           static_cast<double>(function.saving_ns(hits.unbounded())) >= k_worth_it * static_cast<double>(profile_ns);
  };
  if (reasons.empty() && !pays(function.hits)) {
    const bool perhaps = function.hits_if_same && pays(*function.hits_if_same);
    reasons.emplace_back(
        perhaps ? "is called with objects that are compared by identity: samples cannot tell whether it is the "
                  "same one each time, or another one in its place; awaitscope trace can"
                : "would save less than 1 % of the profile");
  }
  function.recommended = reasons.empty();
  if (function.recommended && tables.codes.at(function.code).function.find("<locals>") != std::string::npos) {
    reasons.emplace_back(
        "is defined inside a function: move it out, or each call of that one begins with an empty cache");
  }
  if (function.by_identity > 0) {
    reasons.push_back(
        fmt::format("{} of {} calls have an argument that is compared by identity, and the cache would keep it alive",
                    function.by_identity, function.judged));
  }
  if (function.may_equal > 0) {
    reasons.push_back(fmt::format("{} of {} calls have an argument whose class has an __eq__ of its own, which is not "
                                  "asked: a cache may hit more",
                                  function.may_equal, function.judged));
  }
  if (function.merged) {
    reasons.emplace_back("calls that could not be separated count as one");
  }
}

/// A call inside of a call of the same function counts once.
void add_traced_cost(const GatheredCalls &gathered, CacheOpportunity &function) {
  for (const auto &[thread, calls] : gathered.by_thread) {
    function.cpu_ns += calls.cpu_ns() != 0 ? calls.cpu_ns() : calls.duration_ns(); // of coroutines it is not known
    function.wall_ns += calls.duration_ns();
  }
}

} // namespace

Result<CacheOpportunities> read_cache_opportunities(RecordingReader &reader, const TimeRange &range,
                                                    const Filter &filter) {
  const RecordingTables &tables = reader.tables();
  StackCosts costs;
  Gatherer gatherer(tables, reader.info().period_ns(), range, filter);
  const Result<void> read = reader.each_block([&]() -> Result<void> {
    for (const SampleRun &run : reader.samples()) {
      costs.add(tables, run, range);
    }
    gatherer.add(reader.samples(), reader.seen_calls());
    for (const RecordedTracedCall &call : reader.traced_calls()) {
      gatherer.add(call);
    }
    for (const RecordedLostCalls &lost : reader.lost_calls()) {
      gatherer.add(lost);
    }
    return {};
  });
  if (!read) {
    return tl::unexpected(read.error());
  }
  costs.finish(reader, range);
  std::vector<GatheredCalls> gathered = gatherer.finish(reader.totals().elapsed_ns);
  FunctionNumbers &numbers = gatherer.numbers();
  KnownFunctions known(tables, numbers);
  add_callee_effects(known, numbers, tables, costs);

  CacheOpportunities found;
  found.profile_ns = costs.sum().cpu_ns + costs.unsampled.cpu_ns;
  found.profile_ns = found.profile_ns == 0 ? reader.totals().process_cpu_ns.value_or(0) : found.profile_ns;
  std::unordered_map<std::size_t, Cost> totals;
  ProfileOptions all;
  all.metric = Metric::cpu;
  all.idle = true;
  for (const FunctionCost &cost : hot_functions(tables, costs, all).functions) {
    totals[numbers.number(cost.code)] += cost.total;
  }
  for (std::size_t number = 0; number < gathered.size(); ++number) {
    if (gathered[number].calls.empty() || tables.codes.at(gathered[number].code).function == "<module>") {
      continue; // a module runs once
    }
    CacheOpportunity function = opportunity_of(gathered[number], tables);
    if (const Cost &total = totals[number]; total.samples > 0) {
      function.cpu_ns = total.cpu_ns;
      function.wall_ns = total.samples * static_cast<std::uint64_t>(reader.info().period_ns());
    } else {
      add_traced_cost(gathered[number], function);
    }
    judge(function, known, number, tables, gathered[number].calls, found.profile_ns);
    found.functions.push_back(std::move(function));
  }
  std::stable_sort(found.functions.begin(), found.functions.end(),
                   [&](const CacheOpportunity &a, const CacheOpportunity &b) {
                     return a.saving_ns(a.hits.unbounded()) > b.saving_ns(b.hits.unbounded());
                   });
  return found;
}

} // namespace awaitscope
