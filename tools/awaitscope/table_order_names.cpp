#include "table_order_names.hpp"

#include <array>
#include <span>
#include <string_view>

#include <fmt/format.h>

namespace awaitscope::tools {
namespace {

struct NamedOrder {
  std::string_view name;
  TableOrder order;
};
constexpr std::array<NamedOrder, 3> k_hot_orders{
    {{"self", TableOrder::self}, {"total", TableOrder::total}, {"calls", TableOrder::calls}}};
constexpr std::array<NamedOrder, 5> k_latency_orders{{{"calls", TableOrder::calls},
                                                      {"p50", TableOrder::p50},
                                                      {"p95", TableOrder::p95},
                                                      {"p99", TableOrder::p99},
                                                      {"max", TableOrder::max}}};

constexpr std::array<NamedOrder, 7> k_request_orders{{{"cpu", TableOrder::usual},
                                                      {"wall", TableOrder::total},
                                                      {"requests", TableOrder::calls},
                                                      {"p50", TableOrder::p50},
                                                      {"p95", TableOrder::p95},
                                                      {"p99", TableOrder::p99},
                                                      {"max", TableOrder::max}}};

constexpr std::array<NamedOrder, 3> k_query_orders{
    {{"wall", TableOrder::usual}, {"cpu", TableOrder::self}, {"seen", TableOrder::calls}}};

/// What a table of that format can be ordered by.
std::span<const NamedOrder> orders_of(Format format) {
  return format == Format::requests  ? std::span<const NamedOrder>(k_request_orders)
         : format == Format::queries ? std::span<const NamedOrder>(k_query_orders)
         : format == Format::latency ? std::span<const NamedOrder>(k_latency_orders)
                                     : k_hot_orders;
}

} // namespace

Result<TableOrder> parse_order(Format format, const std::string &name) {
  std::string names;
  for (const NamedOrder &known : orders_of(format)) {
    if (name.empty() || name == known.name) {
      return name.empty() ? TableOrder::usual : known.order;
    }
    names += fmt::format("{}{}", names.empty() ? "" : ", ", known.name);
  }
  return fail(ExitStatus::usage, fmt::format("the format '{}' cannot be sorted by '{}'", name_of(format), name),
              fmt::format("use --sort with one of {}", names));
}

} // namespace awaitscope::tools
