#pragma once

#include "awaitscope/recording/columns.hpp"
#include "awaitscope/recording/tables.hpp"

/// Rows of the tables of arguments, for put_tables().
namespace awaitscope::block {

inline constexpr std::size_t k_fact_columns = 3;
inline constexpr std::size_t k_key_columns = 6;

void put_fact(ColumnWriter &out, const RecordedFact &fact);
void put_key(ColumnWriter &out, const RecordedKey &recorded);

} // namespace awaitscope::block
