#include "awaitscope/integrations/rules.hpp"

namespace awaitscope {

/// Django 3.2 to 6.1: django/core/handlers, django/db and django/template.
std::span<const FunctionRule> django_functions() {
  static constexpr std::array k_rules{
      // wsgi.py: __call__(self, environ, start_response): request = self.request_class(environ).
      FunctionRule{"WSGIHandler.__call__", "django/core/handlers/wsgi.py", FunctionRole::handles_request,
                   local("request")},
      // asgi.py: handle(self, scope, receive, send): request, error_response = self.create_request(scope, body_file).
      FunctionRule{"ASGIHandler.handle", "django/core/handlers/asgi.py", FunctionRole::handles_request,
                   local("request")},
      // base.py: what other handlers call: django/test/client.py, channels.
      FunctionRule{"BaseHandler.get_response", "django/core/handlers/base.py", FunctionRole::handles_request,
                   local("request")},
      FunctionRule{"BaseHandler.get_response_async", "django/core/handlers/base.py", FunctionRole::handles_request,
                   local("request")},
      // django/db/backends/utils.py: _execute(self, sql, params, *ignored_wrapper_args), and _executemany: what wrappers call.
      FunctionRule{"CursorWrapper._execute", "django/db/backends/utils.py", FunctionRole::executes_sql, local("sql")},
      FunctionRule{"CursorWrapper._executemany", "django/db/backends/utils.py", FunctionRole::executes_sql,
                   local("sql")},
      // django/template/base.py: _render(self, context); a template that is included or extended has its own.
      FunctionRule{"Template._render", "django/template/base.py", FunctionRole::renders_template, argument(0, "name")},
  };
  return k_rules;
}

} // namespace awaitscope
