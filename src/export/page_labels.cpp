#include "page_labels.hpp"

#include "awaitscope/report/file_origin.hpp"
#include "page_json.hpp"

namespace awaitscope {
namespace {

using Json = nlohmann::ordered_json;
using Level = CostHistory::Level;

} // namespace

std::size_t PageLabels::number(const CostHistory::Node &node) {
  const std::int32_t line = names_.lines == Lines::executing ? node.frame.line : 0;
  const Key key{node.level, node.name, node.frame.code, line, node.frame.kind};
  const auto known = of_nodes_.find(key);
  return known != of_nodes_.end() ? known->second : of_nodes_.emplace(key, number_of(describe(node))).first->second;
}

std::size_t PageLabels::number(CodeId function) {
  const CodeInfo &code = reader_.tables().codes.at(function);
  return number_of(describe(code, FrameKind::python, code.first_line));
}

std::size_t PageLabels::number_of(const std::string &label) {
  const auto [entry, fresh] = known_.try_emplace(label, known_.size());
  if (fresh) {
    list_ += (list_.empty() ? "" : ",\n") + label;
  }
  return entry->second;
}

std::string PageLabels::describe(const CostHistory::Node &node) const {
  const auto level = static_cast<int>(node.level);
  if (node.level == Level::root) {
    return page_json({{"name", "all"}, {"level", level}});
  }
  if (node.level != Level::frame) {
    return page_json({{"name", page_text(history_.names[node.name])}, {"level", level}});
  }
  const auto kind = static_cast<int>(node.frame.kind);
  if (!is_named(node.frame.kind)) {
    return page_json({{"name", std::string(mark_text(node.frame.kind))}, {"level", level}, {"kind", kind}});
  }
  const CodeInfo &code = reader_.tables().codes.at(node.frame.code);
  if (node.frame.kind == FrameKind::task_border) {
    return page_json({{"name", page_text(code.function)}, {"level", level}, {"kind", kind}});
  }
  return describe(code, node.frame.kind, names_.lines == Lines::executing ? node.frame.line : code.first_line);
}

std::string PageLabels::describe(const CodeInfo &code, FrameKind kind, std::int32_t line) const {
  const std::vector<std::string> &paths = reader_.info().import_paths;
  const std::string_view file = names_.files == FileNames::full ? code.file : importable_path(code.file, paths);
  const FileOrigin origin = file_origin(code.file);
  return page_json({{"name", page_text(code.function)},
                    {"level", static_cast<int>(Level::frame)},
                    {"kind", static_cast<int>(kind)},
                    {"file", file.empty() ? "?" : page_text(file)},
                    {"line", line},
                    {"origin", static_cast<int>(origin.kind)},
                    {"package", page_text(origin.package)}});
}

} // namespace awaitscope
