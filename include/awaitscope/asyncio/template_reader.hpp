#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "awaitscope/asyncio/function_roles.hpp"
#include "awaitscope/cpython/objects.hpp"

namespace awaitscope {

/// A template that a frame renders.
struct NamedTemplate {
  std::size_t frame = 0; ///< index in the stack
  std::string name;
};

/// Reads the names of templates, by the tables of integrations/.
class TemplateReader {
public:
  TemplateReader(ObjectReader &objects, FunctionRoles &roles) : objects_(objects), roles_(roles) {}

  /// Into `templates`, root first. One without a name is left out.
  void read(const PythonStack &stack, std::vector<NamedTemplate> &templates);

private:
  ObjectReader &objects_;
  FunctionRoles &roles_;
};

} // namespace awaitscope
