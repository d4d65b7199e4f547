#pragma once

#include "awaitscope/recording/columns.hpp"
#include "awaitscope/recording/tables.hpp"

namespace awaitscope::block {

inline constexpr std::size_t k_request_columns = 8;

/// The row of that number.
void put_request(ColumnWriter &out, std::size_t number, const RecordedRequest &request);

} // namespace awaitscope::block
