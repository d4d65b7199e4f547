#include "site.hpp"

#include <vector>

#include "awaitscope/support/clock.hpp"

namespace awaitscope::testing {
namespace {

constexpr std::int64_t k_ms = 1'000'000;
constexpr int k_ticks = 2000;
constexpr int k_requests = 150;
constexpr ThreadId k_server = 41;
constexpr ThreadId k_native = 43;
constexpr ThreadId k_worker = 44;

/// The same numbers on every machine: distributions of <random> are not.
int below(std::mt19937_64 &random, std::uint64_t end) { return static_cast<int>(random() % end); }

struct Site {
  CodeId run_once, cycle, handler, middleware, view, fetch, sleep, query, render, escape, price, total, worker;

  explicit Site(CodeTable &codes)
      : run_once(standard(codes, "BaseEventLoop._run_once", "asyncio/base_events.py", 1970)),
        cycle(package(codes, "RequestResponseCycle.run_asgi", "uvicorn/protocols/http/h11_impl.py", 395)),
        handler(package(codes, "ASGIHandler.__call__", "django/core/handlers/asgi.py", 155)),
        middleware(
            package(codes, "convert_exception_to_response.<locals>.inner", "django/core/handlers/exception.py", 39)),
        view(project(codes, "catalogue_view", "shop/catalogue/views.py", 21)),
        fetch(project(codes, "OrdersOfTheLastTwelveMonths.fetch_all_of_them_at_once",
                      "shop/reporting/orders/of_the_last_twelve_months.py", 140)),
        sleep(standard(codes, "sleep", "asyncio/tasks.py", 700)),
        query(package(codes, "SQLCompiler.execute_sql", "django/db/models/sql/compiler.py", 1592)),
        render(project(codes, "商品一覧を表示する", "shop/テンプレート.py", 7)),
        escape(project(codes, "e\u0301chappe\u0301", "shop/texte.py", 12)),
        price(project(codes, "price", "shop/prices.py", 10)),
        total(project(codes, "Order.total", "shop/orders.py", 58)),
        worker(standard(codes, "_worker", "concurrent/futures/thread.py", 69)) {}

  static CodeId standard(CodeTable &codes, const char *name, const char *file, std::int32_t line) {
    return codes.add({name, std::string("/usr/lib/python3.13/") + file, line});
  }
  static CodeId package(CodeTable &codes, const char *name, const char *file, std::int32_t line) {
    return codes.add({name, std::string("/srv/shop/.venv/lib/python3.13/site-packages/") + file, line});
  }
  static CodeId project(CodeTable &codes, const char *name, const char *file, std::int32_t line) {
    return codes.add({name, std::string("/srv/shop/") + file, line});
  }
};

Frame frame(CodeId code, FrameKind kind = FrameKind::python) { return {code, 0, kind}; }

struct Request {
  int begin = 0; ///< ticks
  int queried = 0;
  int end = 0;
};

std::vector<Request> requests(std::mt19937_64 &random) {
  std::vector<Request> all;
  for (int i = 0; i < k_requests; ++i) {
    const int begin = 12 * i;
    const int queried = begin + 10 + below(random, 40);
    all.push_back({begin, queried, queried + 5 + below(random, i % 10 == 0 ? 200 : 20)});
  }
  return all;
}

/// What a request's task does from this tick on, if that is something else.
void add_change(RecordingWriter &writer, const Site &site, const Request &request, int number, int tick,
                std::int64_t now) {
  if (tick != request.begin && tick != request.queried && tick != request.end) {
    return;
  }
  TaskChange change;
  change.task = 0x1000 + static_cast<Address>(number) * 0x100;
  change.coroutine = site.cycle;
  change.state = tick == request.end ? TaskState::done : TaskState::waiting;
  change.at_ns = now;
  change.before_ns = now - k_ms;
  if (change.state == TaskState::waiting) {
    change.frames = {frame(site.cycle), frame(site.handler), frame(site.middleware), frame(site.view)};
    const bool fetches = tick == request.begin;
    change.frames.push_back(frame(fetches ? site.fetch : site.query));
    if (fetches) {
      change.frames.push_back(frame(site.sleep));
    }
  }
  writer.add(change);
}

Sample main_sample(const Site &site, std::mt19937_64 &random) {
  Sample sample;
  std::vector<Frame> &frames = sample.stack.frames;
  const int what = below(random, 20);
  if (what < 3) {
    frames = {frame(site.run_once)};
    return sample;
  }
  sample.task = 0x1000;
  sample.stack.in_task = true;
  frames = {frame(site.run_once, FrameKind::loop), frame(site.cycle, FrameKind::task_border), frame(site.cycle),
            frame(site.handler), frame(site.middleware)};
  if (what >= 5) {
    frames.push_back(frame(site.view));
  }
  if (what >= 5 && what < 9) {
    frames.push_back(frame(site.query));
  } else if (what >= 9 && what < 11) {
    frames.push_back(frame(site.fetch));
  } else if (what >= 11) {
    frames.push_back(frame(site.render));
  }
  if (what >= 17) {
    frames.push_back(frame(site.escape));
  }
  if (what == 19) {
    frames.push_back(k_unreadable_frame);
  }
  return sample;
}

/// A thread that works out prices, of which there are 20.
Sample worker_sample(const Site &site, std::mt19937_64 &random, std::int64_t now) {
  constexpr std::uint64_t k_prices = 20;
  Sample sample;
  sample.stack.frames = {frame(site.worker), frame(site.total), frame(site.price)};
  sample.calls = {true, 1, 2, 1U + static_cast<std::uint32_t>(below(random, 2)), 0, now - k_ms};
  for (std::uint32_t i = sample.calls.same - 1; i < 2; ++i) {
    const auto value = static_cast<std::uint64_t>(below(random, i == 0 ? 1U << 30U : k_prices));
    sample.arguments.push_back({1 - i, {i == 0 ? site.total : site.price, 0, value + 1, 0, 0}, {}});
  }
  return sample;
}

} // namespace

RecordingInfo site_info() {
  RecordingInfo info = invented_info();
  info.start_ns = 1'000 * k_ns_per_second;
  info.command = {"/srv/shop/.venv/bin/python", "/srv/shop/.venv/bin/uvicorn", "shop.asgi:application", "--workers=1"};
  info.tool_command = {"awaitscope", "record", "-p", "41", "--all-tasks", "--args"};
  info.import_paths = {"/srv/shop", "/usr/lib/python3.13"};
  info.arguments = Arguments::sampled;
  return info;
}

void record_site(MemoryRecorder &recorder, std::uint64_t seed) {
  constexpr std::uint64_t k_not_sampled_ns = 400 * k_ms;
  std::mt19937_64 random(seed);
  const Site site(recorder.codes);
  const std::vector<Request> all = requests(random);
  RecordingWriter &writer = recorder.writer();
  for (const CodeId code : {site.price, site.total}) {
    writer.add(FunctionFact{code, FunctionFact::Kind::judged, {}});
  }
  SamplingTotals totals;
  std::uint64_t cpu_ns = 0;
  const auto add = [&](Sample sample, ThreadId tid, std::int64_t now, const char *thread) {
    sample.time_ns = now;
    sample.tid = tid;
    sample.cpu_ns = static_cast<std::uint64_t>(k_ms);
    cpu_ns += sample.cpu_ns;
    ++totals.samples;
    writer.add(sample, thread);
  };
  for (int tick = 0; tick < k_ticks; ++tick) {
    const std::int64_t now = site_info().start_ns + tick * k_ms + below(random, k_ms / 2);
    ++totals.ticks;
    for (int i = 0; i < k_requests; ++i) {
      add_change(writer, site, all[static_cast<std::size_t>(i)], i, tick, now);
    }
    add(main_sample(site, random), k_server, now, "MainThread");
    if (tick % 10 == 0) {
      add({}, k_native, now, "libuv-worker");
    }
    if (tick % 2 == 0) {
      add(worker_sample(site, random, now), k_worker, now, "ThreadPoolExecutor-3_0");
    }
    totals.elapsed_ns = now - site_info().start_ns;
  }
  totals.process_cpu_ns = cpu_ns + k_not_sampled_ns;
  writer.finish(totals);
}

} // namespace awaitscope::testing
