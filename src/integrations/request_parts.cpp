#include "awaitscope/integrations/request_parts.hpp"

#include <array>

#include "place.hpp"

namespace awaitscope {
namespace {

/// django/db/backends/utils.py.
constexpr std::array<Place, 5> k_statements{{{"django/db/backends/utils.py", "CursorWrapper.execute"},
                                             {"django/db/backends/utils.py", "CursorWrapper.executemany"},
                                             {"django/db/backends/utils.py", "CursorWrapper.callproc"},
                                             {"django/db/backends/utils.py", "CursorWrapper._execute"},
                                             {"django/db/backends/utils.py", "CursorWrapper._executemany"}}};

/// django/template/base.py, and backends of other engines: django/template/backends/jinja2.py.
constexpr std::array<Place, 3> k_renderings{{{"django/template/base.py", "Template.render"},
                                             {"django/template/base.py", "Template._render"},
                                             {"django/template/backends/jinja2.py", "Template.render"}}};

/// django/core/handlers/exception.py: convert_exception_to_response() wraps each middleware, and what calls the view.
constexpr std::array<Place, 1> k_middleware{
    {{"django/core/handlers/exception.py", "convert_exception_to_response.<locals>.inner"}}};

/// django/core/handlers/base.py: what the innermost of them calls.
constexpr std::array<Place, 2> k_view_callers{{{"django/core/handlers/base.py", "BaseHandler._get_response"},
                                               {"django/core/handlers/base.py", "BaseHandler._get_response_async"}}};

} // namespace

RequestParts::Role RequestParts::find(const CodeInfo &code) {
  return is_one_of(code, k_statements)     ? Role::statement
         : is_one_of(code, k_renderings)   ? Role::rendering
         : is_one_of(code, k_middleware)   ? Role::middleware
         : is_one_of(code, k_view_callers) ? Role::view_caller
                                           : Role::ordinary;
}

RequestParts::Role RequestParts::role_of(const Frame &frame) {
  if (!is_named(frame.kind) || frame.kind == FrameKind::task_border) {
    return Role::ordinary;
  }
  roles_.resize(std::max(roles_.size(), codes_.size()), Role::unknown);
  Role &role = roles_[frame.code];
  role = role == Role::unknown ? find(codes_.at(frame.code)) : role;
  return role;
}

std::size_t RequestParts::innermost_statement(std::span<const Frame> frames) {
  std::size_t i = frames.size();
  while (i > 0 && role_of(frames[i - 1]) != Role::statement) {
    --i;
  }
  return i == 0 ? frames.size() : i - 1;
}

RequestPart RequestParts::part_of(std::span<const Frame> frames) {
  bool in_middleware = false;
  bool renders = false;
  for (const Frame &frame : frames) {
    const Role role = role_of(frame);
    if (role == Role::statement) {
      return RequestPart::sql;
    }
    renders = renders || role == Role::rendering;
    in_middleware = role == Role::middleware || (in_middleware && role != Role::view_caller);
  }
  return renders ? RequestPart::templates : in_middleware ? RequestPart::middleware : RequestPart::view;
}

} // namespace awaitscope
