#include "loop_site.hpp"

#include <array>
#include <memory>
#include <string>

#include "awaitscope/support/clock.hpp"

namespace awaitscope::testing {
namespace {

constexpr std::int64_t k_period_ns = 10'000'000;
constexpr int k_ticks = 600;
constexpr int k_between = 100; ///< ticks from hold to hold
constexpr int k_of_request = 8;

struct Functions {
  CodeId run_once, handle, serve, send, wait, price, run, handler, list_orders, execute;

  explicit Functions(CodeTable &codes)
      : run_once(codes.add({"BaseEventLoop._run_once", "/usr/lib/python3.13/asyncio/base_events.py", 1970})),
        handle(codes.add({"Handle._run", "/usr/lib/python3.13/asyncio/events.py", 87})),
        serve(codes.add({"serve", "/srv/shop/app.py", 12})), send(codes.add({"send_mail", "/srv/shop/mail.py", 30})),
        wait(codes.add({"Popen.wait", "/usr/lib/python3.13/subprocess.py", 1264})),
        price(codes.add({"PriceList.price_all", "/srv/shop/prices.py", 44})),
        run(codes.add({"SyncWorker.run", "/srv/shop/lib/python3.13/site-packages/gunicorn/workers/sync.py", 125})),
        handler(codes.add(
            {"WSGIHandler.__call__", "/srv/shop/lib/python3.13/site-packages/django/core/handlers/wsgi.py", 118})),
        list_orders(codes.add({"list_orders", "/srv/shop/views.py", 21})),
        execute(codes.add(
            {"CursorWrapper._execute", "/srv/shop/lib/python3.13/site-packages/django/db/backends/utils.py", 92})) {}
};

Frame frame(CodeId code, std::int32_t line, FrameKind kind = FrameKind::python) { return {code, line, kind}; }

/// What the loop's thread does: in the first ticks of each hundred it is held, and later it waits for work now and then.
Sample loop_sample(const Functions &of, int tick) {
  const int hold = tick / k_between;
  const int length = 9 + 3 * hold;
  const bool held = tick % k_between < length;
  const bool first = tick % k_between == 0;
  Sample sample;
  sample.task = 0x1000 + static_cast<Address>(held ? hold : tick % 7) * 0x100;
  sample.stack.in_task = true;
  std::vector<Frame> &frames = sample.stack.frames;
  frames = {frame(of.run_once, 2009, FrameKind::loop), frame(of.handle, 88, FrameKind::loop),
            frame(of.serve, 0, FrameKind::task_border), frame(of.serve, 15)};
  if (held && hold % 2 == 0) {
    frames.push_back(frame(of.send, 33));
    frames.push_back(frame(of.wait, 1270));
    sample.state = first ? ThreadState::running : ThreadState::blocked;
  } else if (held) {
    frames.push_back(frame(of.price, 46 + tick % 3));
  }
  const auto calls = static_cast<std::uint32_t>(frames.size() - 1); // without the border
  sample.calls = {true, 3, calls - 3, held && !first ? calls : 1, 0, 0, !held || first};
  return sample;
}

/// A worker in a request of two routes by turns: one repeats a statement, in the other each is another.
Sample worker_sample(const Functions &of, int tick) {
  static const std::array<std::shared_ptr<const RequestRoute>, 2> k_routes{
      std::make_shared<const RequestRoute>(RequestRoute{"GET", "orders/", "shop.views.list_orders", true}),
      std::make_shared<const RequestRoute>(RequestRoute{"POST", "reports/<int:year>/", "shop.views.report", true})};
  const int request = tick / k_of_request;
  const int step = tick % k_of_request;
  const bool repeats = request % 2 == 0;
  Sample sample;
  sample.stack.frames = {frame(of.run, 130), frame(of.handler, 124), frame(of.list_orders, repeats ? 24 : 31)};
  sample.request = {static_cast<std::uint64_t>(request) + 1, false, k_routes[static_cast<std::size_t>(request % 2)]};
  if (step > 1) {
    sample.stack.frames.push_back(frame(of.execute, 105));
    sample.state = step % 3 == 0 ? ThreadState::blocked : ThreadState::running;
    const std::string table =
        repeats ? "shop_customer" : "shop_report_" + std::string(1, static_cast<char>('a' + step));
    sample.statement =
        std::make_shared<const std::string>(R"(SELECT ")" + table + R"("."id", ")" + table + R"("."name" FROM ")" +
                                            table + R"(" WHERE ")" + table + R"("."id" = ? LIMIT ?)");
  }
  const auto calls = static_cast<std::uint32_t>(sample.stack.frames.size());
  sample.calls = {true, 0, calls, step == 0 ? 1U : 3U, 0, 0, false};
  return sample;
}

} // namespace

RecordingInfo loop_site_info() {
  RecordingInfo info = invented_info();
  info.start_ns = 1'000 * k_ns_per_second;
  info.rate_millihertz = 100'000;
  info.command = {"/srv/shop/bin/python", "app.py"};
  info.import_paths = {"/srv/shop", "/usr/lib/python3.13"};
  return info;
}

void record_loop_site(MemoryRecorder &recorder) {
  const Functions of(recorder.codes);
  RecordingWriter &writer = recorder.writer();
  SamplingTotals totals;
  const auto add = [&](Sample sample, ThreadId tid, std::int64_t now, const char *thread) {
    sample.time_ns = now;
    sample.calls.before_ns = now - k_period_ns;
    sample.tid = tid;
    sample.cpu_ns = sample.state == ThreadState::running ? static_cast<std::uint64_t>(k_period_ns) : 0;
    ++totals.samples;
    writer.add(sample, thread);
  };
  for (int tick = 1; tick < k_ticks; ++tick) {
    const std::int64_t now = loop_site_info().start_ns + tick * k_period_ns;
    ++totals.ticks;
    if (tick % k_between < 50 || tick % 3 != 0) { // else it waits for work
      add(loop_sample(of, tick), 41, now, "MainThread");
    }
    add(worker_sample(of, tick), 44, now, "worker");
    totals.elapsed_ns = now - loop_site_info().start_ns;
  }
  writer.finish(totals);
}

} // namespace awaitscope::testing
