#pragma once

#include <cstdint>
#include <string>

#include "awaitscope/export/names.hpp"
#include "awaitscope/export/text_table.hpp"
#include "awaitscope/recording/reader.hpp"
#include "awaitscope/report/hot.hpp"

namespace awaitscope {

/// Which functions have a row. What a table says of sums and shares is of all in any case.
enum class ShownRows : std::uint8_t { all, project };

/// How the table of functions is shown.
struct HotTable {
  Metric metric = Metric::wall;
  std::string reason; ///< why it is that one, if nobody asked for it: "there is no CPU time"
  TableOrder order = TableOrder::usual;
  ShownRows rows = ShownRows::all;
  TableLayout layout;
  std::string subject; ///< what was recorded: "app.py 41"
  TimeRange range;
  Cost recorded; ///< in the range, whatever the filter lets pass
};

/// A table for people of the first functions. Events are called by their name. The reader has read to the end.
std::string hot_text(const HotFunctions &hot, const HotTable &table, const RecordingReader &reader,
                     const FrameNames &names);

/// One JSON object, schema 1, with every function.
std::string hot_json(const HotFunctions &hot, Metric metric, const RecordingInfo &info, const CodeTable &codes);

} // namespace awaitscope
