#include "page_sources.hpp"

#include <iterator>
#include <unordered_map>

#include <fmt/format.h>

#include "page_json.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;

Json json(const SourceFile &source, const RecordingReader &reader, const NameOptions &names) {
  const std::vector<std::string> &paths = reader.info().import_paths;
  const std::string_view name = names.files == FileNames::full ? source.file : importable_path(source.file, paths);
  Json lines = Json::array();
  for (const std::string &line : source.lines) {
    lines.push_back(valid_utf8(line));
  }
  return {{"name", page_text(name)}, {"lines", std::move(lines)}, {"differs", source.differs}};
}

} // namespace

std::string page_sources(const RecordingReader &reader, const PageContents &contents, const NameOptions &names) {
  if (contents.sources.empty()) {
    return "null";
  }
  std::unordered_map<std::string_view, std::size_t> numbers;
  Json files = Json::array();
  for (const SourceFile &source : contents.sources) {
    numbers.emplace(source.file, numbers.size());
    files.push_back(json(source, reader, names));
  }
  std::string nodes;
  std::size_t before = 0;
  for (std::size_t i = 0; i < contents.history.nodes.size(); ++i) {
    const CostHistory::Node &node = contents.history.nodes[i];
    if (node.level != CostHistory::Level::frame || node.frame.kind != FrameKind::python || node.frame.line <= 0) {
      continue;
    }
    if (const auto known = numbers.find(reader.tables().codes.at(node.frame.code).file); known != numbers.end()) {
      fmt::format_to(std::back_inserter(nodes), "{}{},{},{}", nodes.empty() ? "" : ",", i - before, known->second,
                     node.frame.line);
      before = i;
    }
  }
  return fmt::format("{{\"files\":{},\n\"nodes\":[{}]}}", page_json(files), nodes);
}

} // namespace awaitscope
