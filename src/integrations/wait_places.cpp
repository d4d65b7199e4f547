#include "awaitscope/integrations/wait_places.hpp"

#include <algorithm>
#include <array>

#include "place.hpp"

namespace awaitscope {
namespace {

using Reach = WaitPlace::Reach;

struct Rule {
  Place place;
  WaitPlace wait;
};

constexpr Rule itself(std::string_view file, std::string_view function, WaitKind kind) {
  return {{file, function}, {kind, Reach::itself}};
}
constexpr Rule below(std::string_view file, std::string_view function, WaitKind kind) {
  return {{file, function}, {kind, Reach::below}};
}

constexpr std::array k_rules{
    // Lib/asyncio of CPython 3.8 to 3.15.
    itself("asyncio/tasks.py", "sleep", WaitKind::timer),
    itself("asyncio/streams.py", "StreamReader._wait_for_data", WaitKind::socket),
    below("asyncio/streams.py", "FlowControlMixin._drain_helper", WaitKind::socket),
    below("asyncio/streams.py", "StreamWriter.wait_closed", WaitKind::socket),
    itself("asyncio/selector_events.py", "BaseSelectorEventLoop.sock_recv", WaitKind::socket),
    itself("asyncio/selector_events.py", "BaseSelectorEventLoop.sock_recv_into", WaitKind::socket),
    itself("asyncio/selector_events.py", "BaseSelectorEventLoop.sock_recvfrom", WaitKind::socket),
    itself("asyncio/selector_events.py", "BaseSelectorEventLoop.sock_recvfrom_into", WaitKind::socket),
    itself("asyncio/selector_events.py", "BaseSelectorEventLoop.sock_sendall", WaitKind::socket),
    itself("asyncio/selector_events.py", "BaseSelectorEventLoop.sock_sendto", WaitKind::socket),
    itself("asyncio/selector_events.py", "BaseSelectorEventLoop.sock_connect", WaitKind::socket),
    itself("asyncio/selector_events.py", "BaseSelectorEventLoop.sock_accept", WaitKind::socket),
    itself("asyncio/base_events.py", "BaseEventLoop._create_connection_transport", WaitKind::socket),
    itself("asyncio/base_events.py", "BaseEventLoop.start_tls", WaitKind::socket),
    itself("asyncio/base_events.py", "BaseEventLoop.getaddrinfo", WaitKind::executor),
    itself("asyncio/base_events.py", "BaseEventLoop.getnameinfo", WaitKind::executor),
    itself("asyncio/locks.py", "Lock.acquire", WaitKind::lock),
    itself("asyncio/locks.py", "Semaphore.acquire", WaitKind::lock),
    itself("asyncio/locks.py", "Event.wait", WaitKind::event),
    below("asyncio/locks.py", "Condition.wait", WaitKind::event),
    below("asyncio/locks.py", "Barrier.wait", WaitKind::event),
    itself("asyncio/queues.py", "Queue.get", WaitKind::queue),
    itself("asyncio/queues.py", "Queue.put", WaitKind::queue),
    below("asyncio/queues.py", "Queue.join", WaitKind::queue),
    itself("asyncio/threads.py", "to_thread", WaitKind::executor),
    itself("asyncio/base_subprocess.py", "BaseSubprocessTransport._wait", WaitKind::process),
    // Before 3.12 wait_for() makes a task, and waits for that; since then it awaits in the same task.
    itself("asyncio/tasks.py", "wait_for", WaitKind::task),
    itself("asyncio/tasks.py", "_wait", WaitKind::task),
    itself("asyncio/tasks.py", "_cancel_and_wait", WaitKind::task),
    below("asyncio/tasks.py", "as_completed.<locals>._wait_for_one", WaitKind::task),
    below("asyncio/tasks.py", "_AsCompletedIterator._wait_for_one", WaitKind::task),
    itself("asyncio/taskgroups.py", "TaskGroup.__aexit__", WaitKind::task),
    itself("asyncio/taskgroups.py", "TaskGroup._aexit", WaitKind::task),
    // asgiref 3.2 to 3.10: sync.py.
    below("asgiref/sync.py", "SyncToAsync.__call__", WaitKind::executor),
    // anyio 3 and 4.
    below("anyio/_backends/_asyncio.py", "sleep", WaitKind::timer),
    below("anyio/_backends/_asyncio.py", "AsyncIOBackend.sleep", WaitKind::timer),
    below("anyio/_backends/_asyncio.py", "run_sync_in_worker_thread", WaitKind::executor),
    below("anyio/_backends/_asyncio.py", "AsyncIOBackend.run_sync_in_worker_thread", WaitKind::executor),
    below("anyio/_backends/_asyncio.py", "SocketStream.receive", WaitKind::socket),
    below("anyio/_backends/_asyncio.py", "SocketStream.send", WaitKind::socket),
    below("anyio/_backends/_asyncio.py", "CapacityLimiter.acquire_on_behalf_of", WaitKind::lock),
    below("anyio/_backends/_asyncio.py", "Lock.acquire", WaitKind::lock),
    below("anyio/_backends/_asyncio.py", "Semaphore.acquire", WaitKind::lock),
    below("anyio/_core/_synchronization.py", "Lock.acquire", WaitKind::lock),
    below("anyio/_core/_synchronization.py", "Semaphore.acquire", WaitKind::lock),
    below("anyio/_core/_synchronization.py", "Condition.wait", WaitKind::event),
    below("anyio/streams/memory.py", "MemoryObjectReceiveStream.receive", WaitKind::queue),
    below("anyio/streams/memory.py", "MemoryObjectSendStream.send", WaitKind::queue),
    // Servers: a request's body, its end, and room for the answer.
    below("uvicorn/protocols/http/h11_impl.py", "RequestResponseCycle.receive", WaitKind::socket),
    below("uvicorn/protocols/http/httptools_impl.py", "RequestResponseCycle.receive", WaitKind::socket),
    below("uvicorn/protocols/http/flow_control.py", "FlowControl.drain", WaitKind::socket),
    // Clients: aiohttp 3, httpcore 1, psycopg 3.
    below("aiohttp/streams.py", "StreamReader._wait", WaitKind::socket),
    below("aiohttp/streams.py", "DataQueue.read", WaitKind::socket),
    below("psycopg/waiting.py", "wait_async", WaitKind::socket),
    // Pools of connections: aiohttp 3, httpcore 1, asyncpg 0.2x and 0.3x, psycopg_pool 3, redis 4 to 6, aiomysql, SQLAlchemy 2.
    below("aiohttp/connector.py", "BaseConnector._wait_for_available_connection", WaitKind::pool),
    below("httpcore/_async/connection_pool.py", "AsyncPoolRequest.wait_for_connection", WaitKind::pool),
    below("asyncpg/pool.py", "Pool._acquire", WaitKind::pool),
    below("psycopg_pool/pool_async.py", "AsyncConnectionPool.getconn", WaitKind::pool),
    below("redis/asyncio/connection.py", "BlockingConnectionPool.get_connection", WaitKind::pool),
    below("aiomysql/pool.py", "Pool._acquire", WaitKind::pool),
    below("sqlalchemy/util/queue.py", "AsyncAdaptedQueue.get", WaitKind::pool),
};

} // namespace

std::optional<WaitPlace> wait_place(const CodeInfo &code) {
  const auto *const rule =
      std::find_if(k_rules.begin(), k_rules.end(), [&](const Rule &each) { return is_at(code, each.place); });
  return rule == k_rules.end() ? std::nullopt : std::optional(rule->wait);
}

} // namespace awaitscope
