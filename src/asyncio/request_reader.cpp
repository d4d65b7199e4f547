#include "awaitscope/asyncio/request_reader.hpp"

#include <algorithm>
#include <cctype>
#include <functional>

#include "awaitscope/support/text.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_longest_text = 512; // of a route, or a view
constexpr std::size_t k_most_routes = 4096; // a program that makes up methods, or views
constexpr std::size_t k_text_head = 256;    // of a str, with what most routes have

std::uint64_t serial(std::string_view bytes) {
  const std::uint64_t hash = std::hash<std::string_view>{}(bytes);
  return hash == 0 ? 1 : hash;
}

} // namespace

/// PEP 3333, "environ Variables", and the ASGI specification, "HTTP & WebSocket ASGI Message Format": names of headers are "HTTP_" and
/// upper case with underscores, and lower case.
void RequestReader::want(const RequestDetails &details) {
  paths_ = details.paths;
  id_header_ = details.id_header;
  std::transform(id_header_.begin(), id_header_.end(), id_header_.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  id_key_ = id_header_.empty() ? "" : "HTTP_" + id_header_;
  std::transform(id_key_.begin(), id_key_.end(), id_key_.begin(),
                 [](unsigned char letter) { return letter == '-' ? '_' : static_cast<char>(std::toupper(letter)); });
}

/// Is it a frame that has a request?
bool RequestReader::take(const Place &place, std::size_t index, RequestSight &sight) {
  sight.object = place.address == 0 ? 0 : roles_.held(*place.rule, place.address, place.code);
  sight.depth = index;
  return sight.object != 0;
}

RequestSight RequestReader::find(std::span<const Frame> frames, std::span<const Address> places, Address task) {
  RequestSight sight;
  for (std::size_t i = 0; i < std::min(frames.size(), places.size()); ++i) {
    const FunctionRule *const rule = roles_.rule(frames[i]);
    if (rule != nullptr && rule->role == FunctionRole::handles_request &&
        take({rule, places[i], frames[i].code}, i, sight)) {
      sight.task = task;
      break;
    }
  }
  return sight;
}

RequestSight RequestReader::find(const PythonStack &stack, std::size_t from, std::size_t to, Address task,
                                 Address thread_state) {
  RequestSight sight;
  Place timed;
  for (std::size_t i = from; i < to; ++i) {
    const PythonFrame &frame = stack.frames[i];
    const FunctionRule *const rule = roles_.rule(frame.frame);
    const FunctionRole role = rule == nullptr ? FunctionRole::ordinary : rule->role;
    const Place place{rule, frame.address, frame.frame.code};
    if (role == FunctionRole::times_request) {
      timed = place;
    } else if (role == FunctionRole::handles_request && take(place, i, sight)) {
      sight.task = task;
      sight.thread_state = thread_state;
      sight.serial = task == 0 && timed.rule != nullptr ? time_of(timed) : 0;
      break;
    }
  }
  return sight;
}

/// Modules/_datetimemodule.c, PyDateTime_DateTime: the hash, a byte that says whether there is a time zone, and ten of the time, to
/// the microsecond.
std::uint64_t RequestReader::time_of(const Place &place) {
  const Address time = roles_.held(*place.rule, place.address, place.code);
  constexpr std::size_t k_hash = 8;
  std::array<char, 11> bytes{};
  const bool known =
      time != 0 && objects_.type_of_object(time).name == "datetime.datetime" &&
      objects_.memory().copy(time + objects_.layout().sizeof_object + k_hash, bytes.data(), bytes.size());
  return known ? serial({bytes.data(), bytes.size()}) : 0;
}

/// Servers make a task for each request, and asyncio numbers them (Lib/asyncio/tasks.py, _task_name_counter).
std::uint64_t RequestReader::serial_of_task(Address task) {
  const std::string name = futures_.name(task);
  return name.empty() || !given_name(name).empty() ? 0 : serial(name);
}

void RequestReader::complete(RequestSight &sight) {
  if (sight.object == 0) {
    return;
  }
  sight.serial = sight.task != 0 ? serial_of_task(sight.task) : sight.serial;
  constexpr unsigned k_alignment_bits = 4;
  Known &known = known_[(sight.object >> k_alignment_bits) % k_remembered];
  if (sight.serial != 0 && known.object == sight.object && known.serial == sight.serial) {
    sight.route = known.route;
    return;
  }
  sight.route = route_of(sight.object);
  if (sight.route == nullptr) {
    sight = {};
  } else if (sight.route->resolved && !objects_.memory().refused()) {
    known = {sight.object, sight.serial, sight.route};
  }
}

std::string RequestReader::short_text(Address str) {
  if (str == 0 || objects_.type_of_object(str).name != "str") {
    return {};
  }
  const auto units = objects_.units(str);
  if (!units || units->count == 0) {
    return {};
  }
  return units->count <= k_longest_text ? objects_.text(str).value_or("?") : "[too long]";
}

/// The text of bytes, as ASCII.
std::string RequestReader::short_bytes(Address bytes) {
  const Layout &layout = objects_.layout();
  if (bytes == 0 || objects_.type_of_object(bytes).name != "bytes") {
    return {};
  }
  const auto size = objects_.memory().get<std::uint64_t>(bytes + layout.ob_size);
  if (!size || *size > k_longest_text) {
    return {};
  }
  std::string text(*size, '\0');
  const bool whole = objects_.memory().copy(bytes + layout.bytes_value, text.data(), text.size());
  return whole ? valid_utf8(text) : std::string();
}

/// scope["headers"]: pairs of bytes.
std::string RequestReader::id_in_scope(Address scope) {
  constexpr std::size_t k_most_headers = 256;
  const auto headers = objects_.list_elements(objects_.dict_value(scope, "headers"));
  for (std::size_t i = 0; headers && i < std::min(headers->size(), k_most_headers); ++i) {
    const auto pair = objects_.tuple_elements((*headers)[i]);
    if (pair && pair->size() == 2 && short_bytes(pair->front()) == id_header_) {
      return short_bytes(pair->back());
    }
  }
  return {};
}

/// "app.views.home" of a function, a method or what functools.partial made of one; else the name of the class, or of that of the object.
std::string RequestReader::callable_name(Address callable) {
  constexpr int k_deepest = 8;
  const Layout &layout = objects_.layout();
  SnapshotMemory &memory = objects_.memory();
  for (int depth = 0; callable != 0 && depth < k_deepest; ++depth) {
    const std::string &kind = objects_.type_of_object(callable).name;
    if (kind == "method") {
      callable = memory.pointer(callable + layout.method_function);
    } else if (kind == "functools.partial") {
      callable = memory.pointer(callable + layout.partial_function);
    } else if (kind == "function") {
      std::string name =
          layout.func_module == k_absent ? std::string() : short_text(memory.pointer(callable + layout.func_module));
      name += name.empty() ? "" : ".";
      return name += short_text(memory.pointer(callable + layout.func_qualname));
    } else {
      return kind == "type" ? objects_.type(callable).name : kind;
    }
  }
  return {};
}

/// Of Django: django/http/request.py, HttpRequest; django/urls/resolvers.py, ResolverMatch.
RequestRoute RequestReader::django_route(Address request) {
  const Address method = objects_.attribute(request, "method");
  const Address match = objects_.attribute(request, "resolver_match");
  RequestRoute found;
  found.resolved = match != 0 && objects_.type_of_object(match).name == "ResolverMatch";
  Address route = 0;
  Address view = 0;
  if (found.resolved) {
    route = objects_.attribute(match, "route");
    view = objects_.attribute(match, "_func_path");
    const std::array<RemoteRange, 2> texts{RemoteRange{route, k_text_head}, RemoteRange{view, k_text_head}};
    objects_.memory().prefetch(texts);
  }
  found.method = short_text(method);
  found.view = short_text(view);
  found.path = paths_ ? short_text(objects_.attribute(request, "path")) : std::string();
  found.id =
      id_key_.empty() ? std::string() : short_text(objects_.dict_value(objects_.attribute(request, "META"), id_key_));
  const bool is_text = found.resolved && objects_.type_of_object(route).name == "str";
  const auto length = is_text ? objects_.units(route) : std::nullopt;
  found.resolved = length.has_value(); // else it could not be read
  found.route = !found.resolved ? std::string(k_unresolved) : length->count == 0 ? "/" : short_text(route);
  return found;
}

/// Of an ASGI scope, into which Starlette's routers write (starlette/routing.py, Router.app(); fastapi/routing.py, APIRoute.matches()): the
/// endpoint and, of FastAPI and since Starlette 1, the route. Nothing if it is no request: a lifespan.
std::optional<RequestRoute> RequestReader::scope_route(Address scope) {
  const std::string type = short_text(objects_.dict_value(scope, "type"));
  if (type != "http" && type != "websocket") {
    return std::nullopt;
  }
  RequestRoute found;
  found.method = type == "http" ? short_text(objects_.dict_value(scope, "method")) : "WEBSOCKET";
  found.view = callable_name(objects_.dict_value(scope, "endpoint"));
  found.path = paths_ ? short_text(objects_.dict_value(scope, "path")) : std::string();
  found.id = id_header_.empty() ? std::string() : id_in_scope(scope);
  const Address route = objects_.dict_value(scope, "route");
  found.route = route == 0 ? std::string() : short_text(objects_.attribute(route, "path"));
  if (found.route.empty()) {
    found.route = found.view; // it does not keep the pattern
  }
  found.resolved = !found.route.empty();
  found.route = found.resolved ? found.route : std::string(k_unresolved);
  return found;
}

/// Null if it is no request.
std::shared_ptr<const RequestRoute> RequestReader::route_of(Address request) {
  std::optional<RequestRoute> route;
  if (objects_.type_of_object(request).name == "dict") {
    route = scope_route(request);
  } else if (objects_.is_kind(objects_.type_of(request), "HttpRequest")) {
    route = django_route(request);
  }
  if (!route) {
    return nullptr;
  }
  auto found = std::make_shared<const RequestRoute>(std::move(*route));
  const auto known = routes_.find(found);
  if (known != routes_.end()) {
    return *known;
  }
  if (routes_.size() >= k_most_routes) {
    routes_.clear(); // those that are in use stay
  }
  return *routes_.insert(std::move(found)).first;
}

} // namespace awaitscope
