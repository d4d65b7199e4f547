#pragma once

#include <string>

#include "awaitscope/export/text_table.hpp"
#include "awaitscope/report/requests.hpp"

namespace awaitscope {

/// A table for people of the first routes.
std::string requests_text(const RouteCosts &costs, const TableLayout &layout);

/// One JSON object, schema 1, with every route.
std::string requests_json(const RouteCosts &costs);

} // namespace awaitscope
