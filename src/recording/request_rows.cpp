#include "request_rows.hpp"

#include <algorithm>

#include "awaitscope/model/limits.hpp"
#include "sections.hpp"

namespace awaitscope::block {
namespace {

enum RequestColumn : std::size_t {
  request_bits,
  request_first,
  request_method,
  request_route,
  request_view,
  request_process,
  request_path,
  request_id,
};

constexpr std::uint64_t k_resolved = 1;
constexpr std::uint64_t k_request_in_task = 2;

} // namespace

void put_request(ColumnWriter &out, std::size_t number, const RecordedRequest &request) {
  out.put(request_bits, (request.resolved ? k_resolved : 0) | (request.in_task ? k_request_in_task : 0));
  out.put(request_first, number - request.first);
  out.put(request_method, request.method);
  out.put(request_route, request.route);
  out.put(request_view, request.view);
  out.put(request_process, request.process);
  out.put(request_path, request.path);
  out.put(request_id, request.id);
}

bool take_requests(std::string_view contents, RecordingTables &tables) {
  ColumnReader in(contents, k_request_columns);
  for (std::size_t row = 0; row < in.rows(); ++row) {
    const std::size_t own = tables.requests.size();
    const std::uint64_t bits = in.take(request_bits);
    const std::uint64_t back = in.take(request_first);
    const std::uint64_t method = in.take(request_method);
    const std::uint64_t route = in.take(request_route);
    const std::uint64_t view = in.take(request_view);
    const std::uint64_t process = in.take(request_process);
    const std::uint64_t path = in.has(request_path) ? in.take(request_path) : 0;
    const std::uint64_t id = in.has(request_id) ? in.take(request_id) : 0;
    if (!in.ok() || back >= own || std::max({method, route, view, process, path, id}) >= tables.texts.size() ||
        own >= limits::k_max_requests) {
      return false;
    }
    RecordedRequest request;
    request.first = static_cast<std::uint32_t>(own - back);
    if (back != 0 && tables.requests[request.first].first != request.first) {
      return false; // that is a later row of another request
    }
    request.method = static_cast<TextId>(method);
    request.route = static_cast<TextId>(route);
    request.view = static_cast<TextId>(view);
    request.resolved = (bits & k_resolved) != 0;
    request.in_task = (bits & k_request_in_task) != 0;
    request.process = static_cast<TextId>(process);
    request.path = static_cast<TextId>(path);
    request.id = static_cast<TextId>(id);
    tables.requests.push_back(request);
  }
  return in.ok();
}

} // namespace awaitscope::block
