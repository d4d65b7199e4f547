#include "awaitscope/integrations/idle_places.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "place.hpp"

namespace awaitscope {
namespace {

// Calls in which a thread waits for whatever its caller waits for: CPython's Lib/ of 3.8 to 3.15.
constexpr std::array k_passing{
    Place{"selectors.py", "SelectSelector.select"},
    Place{"selectors.py", "SelectSelector._select"},
    Place{"selectors.py", "_PollLikeSelector.select"},
    Place{"selectors.py", "PollSelector.select"},
    Place{"selectors.py", "EpollSelector.select"},
    Place{"threading.py", "Condition.wait"},
    Place{"threading.py", "Event.wait"},
    Place{"threading.py", "Thread.join"},
    Place{"threading.py", "Thread._wait_for_tstate_lock"},
    Place{"queue.py", "Queue.get"},
    Place{"socket.py", "socket.accept"},
    Place{"multiprocessing/connection.py", "Connection._recv"},
    Place{"multiprocessing/connection.py", "Connection._recv_bytes"},
    Place{"multiprocessing/connection.py", "_ConnectionBase.recv_bytes"},
    Place{"multiprocessing/connection.py", "_ConnectionBase.recv"},
    Place{"multiprocessing/connection.py", "wait"},
    Place{"multiprocessing/queues.py", "Queue.get"},
    Place{"multiprocessing/queues.py", "SimpleQueue.get"},
    // billiard 4, celery's multiprocessing, and kombu 5.
    Place{"billiard/connection.py", "_poll"},
    Place{"billiard/connection.py", "wait"},
    Place{"billiard/connection.py", "Connection._poll"},
    Place{"billiard/connection.py", "Connection._recv"},
    Place{"billiard/connection.py", "Connection._recv_bytes"},
    Place{"billiard/connection.py", "_ConnectionBase.poll"},
    Place{"billiard/connection.py", "_ConnectionBase.recv_bytes"},
    Place{"billiard/synchronize.py", "SemLock.__enter__"},
    Place{"billiard/queues.py", "SimpleQueue.get_payload"},
    Place{"kombu/transport/virtual/base.py", "Transport.drain_events"},
    Place{"kombu/connection.py", "Connection.drain_events"},
    Place{"cheroot/connections.py", "_ThreadsafeSelector.select"},
};

constexpr std::array k_working{
    // Event loops. Those that are compiled (uvloop) have no frames of their own: who runs them waits.
    Place{"asyncio/base_events.py", "BaseEventLoop._run_once"},
    Place{"asyncio/base_events.py", "BaseEventLoop.run_forever"},
    Place{"asyncio/runners.py", "Runner.run"},
    Place{"asyncio/runners.py", "run"},
    Place{"uvloop/__init__.py", "run"},
    Place{"twisted/internet/asyncioreactor.py", "AsyncioSelectorReactor.run"},
    Place{"twisted/internet/epollreactor.py", "EPollReactor.doPoll"},
    Place{"twisted/internet/pollreactor.py", "PollReactor.doPoll"},
    Place{"twisted/internet/selectreactor.py", "SelectReactor.doSelect"},
    // Workers of pools.
    Place{"concurrent/futures/thread.py", "_worker"},
    Place{"concurrent/futures/process.py", "_process_worker"},
    Place{"concurrent/futures/process.py", "_ExecutorManagerThread.wait_result_broken_or_wakeup"},
    Place{"multiprocessing/pool.py", "worker"},
    Place{"multiprocessing/pool.py", "Pool._wait_for_updates"},
    Place{"multiprocessing/pool.py", "Pool._handle_workers"},
    Place{"multiprocessing/pool.py", "Pool._handle_tasks"},
    Place{"multiprocessing/pool.py", "Pool._handle_results"},
    Place{"multiprocessing/queues.py", "Queue._feed"},
    Place{"multiprocessing/resource_tracker.py", "main"},
    Place{"billiard/pool.py", "Supervisor.body"},
    Place{"billiard/pool.py", "TaskHandler.body"},
    Place{"billiard/pool.py", "TimeoutHandler.body"},
    Place{"billiard/pool.py", "Pool._setup_queues.<locals>._poll_result"},
    Place{"billiard/pool.py", "Worker._make_recv_method.<locals>._recv"},
    Place{"celery/worker/loops.py", "asynloop"},
    Place{"celery/worker/loops.py", "synloop.<locals>._loop_cycle"},
    Place{"celery/utils/timer2.py", "Timer.run"},
    Place{"celery/utils/timer2.py", "Timer._next_entry"},
    Place{"kombu/asynchronous/hub.py", "Hub.create_loop"},
    Place{"logging/handlers.py", "QueueListener.dequeue"},
    Place{"anyio/_backends/_asyncio.py", "WorkerThread.run"},
    Place{"twisted/_threads/_threadworker.py", "ThreadWorker.__init__.<locals>.work"},
    // Servers.
    Place{"socketserver.py", "BaseServer.serve_forever"},
    Place{"gunicorn/arbiter.py", "Arbiter.sleep"},
    Place{"gunicorn/arbiter.py", "Arbiter.run"},
    Place{"gunicorn/arbiter.py", "Arbiter.wait_for_signals"},
    Place{"gunicorn/workers/sync.py", "SyncWorker.wait"},
    Place{"gunicorn/workers/sync.py", "SyncWorker.run_for_one"},
    Place{"gunicorn/workers/gthread.py", "ThreadWorker.run"},
    Place{"gunicorn/workers/gthread.py", "ThreadWorker.wait_for_and_dispatch_events"},
    Place{"gunicorn/workers/gthread.py", "PollableMethodQueue.run_callbacks"},
    Place{"waitress/wasyncore.py", "poll"},
    Place{"waitress/wasyncore.py", "poll2"},
    Place{"waitress/task.py", "ThreadedTaskDispatcher.handler_thread"},
    Place{"hypercorn/run.py", "run"},
    Place{"cheroot/server.py", "HTTPServer._serve_unservicable"},
    Place{"cheroot/workers/threadpool.py", "WorkerThread.run"},
    Place{"cheroot/workers/threadpool.py", "WorkerThread._process_connections_until_interrupted"},
    Place{"cheroot/connections.py", "ConnectionManager._run"},
    // The interpreter that waits for its other threads before it ends.
    Place{"threading.py", "_shutdown"},
};

} // namespace

IdlePlaces::Role IdlePlaces::find(const CodeInfo &code) {
  const auto there = [&](const Place &place) { return is_at(code, place); };
  return std::any_of(k_working.begin(), k_working.end(), there)   ? Role::works
         : std::any_of(k_passing.begin(), k_passing.end(), there) ? Role::passes
                                                                  : Role::ordinary;
}

bool IdlePlaces::waits_for_work(std::span<const Frame> innermost) {
  for (const Frame &frame : innermost) {
    if (!is_named(frame.kind) || frame.kind == FrameKind::task_border) {
      return false;
    }
    if (frame.code >= roles_.size()) {
      roles_.resize(codes_.size(), Role::unknown);
    }
    Role &role = roles_[frame.code];
    if (role == Role::unknown) {
      role = find(codes_.at(frame.code));
    }
    if (role != Role::passes) {
      return role == Role::works;
    }
  }
  return false;
}

} // namespace awaitscope
