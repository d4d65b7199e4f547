#pragma once

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>

#include "awaitscope/asyncio/function_roles.hpp"
#include "awaitscope/asyncio/futures.hpp"
#include "awaitscope/cpython/objects.hpp"
#include "awaitscope/model/request.hpp"

namespace awaitscope {

/// Reads the request that frames work for, and its route, by the tables of integrations/.
///
/// Objects are freed and made anew at the same addresses from request to request: nothing is taken over from an earlier reading by
/// its address alone. What is read is the request, what its URL was resolved to, and three strings: in as few calls as that takes. Of a
/// request with a serial, which no other has, the route is read once.
class RequestReader {
public:
  RequestReader(ObjectReader &objects, FunctionRoles &roles, FutureReader &futures)
      : objects_(objects), roles_(roles), futures_(futures) {}

  /// What is read beside method, route and view; nothing until this is called.
  void want(const RequestDetails &details);

  /// The request of the outermost of these frames that has one, without its route. `places`: where each lies, 0 for none.
  RequestSight find(std::span<const Frame> frames, std::span<const Address> places, Address task);

  /// The same of a part of a thread's stack. `task`: 0 for the thread itself.
  RequestSight find(const PythonStack &stack, std::size_t from, std::size_t to, Address task, Address thread_state);

  /// Reads the route, and what distinguishes the request from others. What is no request becomes none.
  void complete(RequestSight &sight);

private:
  static constexpr std::size_t k_remembered = 256;
  /// A frame with what it means.
  struct Place {
    const FunctionRule *rule = nullptr;
    Address address = 0;
    CodeId code = 0;
  };
  bool take(const Place &place, std::size_t index, RequestSight &sight);
  std::uint64_t time_of(const Place &place);
  std::uint64_t serial_of_task(Address task);
  std::string short_text(Address str);
  std::string short_bytes(Address bytes);
  std::string callable_name(Address callable);
  std::string id_in_scope(Address scope);
  std::shared_ptr<const RequestRoute> route_of(Address request);
  RequestRoute django_route(Address request);
  std::optional<RequestRoute> scope_route(Address scope);

  ObjectReader &objects_;
  FunctionRoles &roles_;
  FutureReader &futures_;
  bool paths_ = false;
  std::string id_key_;    ///< of HttpRequest.META: "HTTP_X_REQUEST_ID"; empty: ids are not wanted
  std::string id_header_; ///< of an ASGI scope: "x-request-id"
  struct Less {
    bool operator()(const auto &a, const auto &b) const {
      const auto of = [](const RequestRoute &route) {
        return std::tie(route.route, route.method, route.view, route.resolved, route.path, route.id);
      };
      return of(*a) < of(*b);
    }
  };
  std::set<std::shared_ptr<const RequestRoute>, Less> routes_; ///< all that were met: one object each

  /// Requests whose route is known, direct-mapped by address.
  struct Known {
    Address object = 0;
    std::uint64_t serial = 0;
    std::shared_ptr<const RequestRoute> route;
  };
  std::array<Known, k_remembered> known_;
};

} // namespace awaitscope
