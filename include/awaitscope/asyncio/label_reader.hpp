#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "awaitscope/asyncio/function_roles.hpp"
#include "awaitscope/cpython/objects.hpp"

namespace awaitscope {

/// What a frame works on: a statement of SQL, a template.
struct FrameLabel {
  enum class Kind : std::uint8_t { statement, templated } kind = Kind::statement;
  std::size_t frame = 0; ///< index in the stack
  std::string text;      ///< a template's name; a statement with its values: these go no further
};

/// Reads labels of frames, by the tables of integrations/.
class LabelReader {
public:
  LabelReader(ObjectReader &objects, FunctionRoles &roles) : objects_(objects), roles_(roles) {}

  /// Into `labels`, root first. What has no text has no label.
  void read(const PythonStack &stack, std::vector<FrameLabel> &labels);

private:
  ObjectReader &objects_;
  FunctionRoles &roles_;
};

} // namespace awaitscope
