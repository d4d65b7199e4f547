#include "awaitscope/integrations/impure_names.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace awaitscope {
namespace {

constexpr std::string_view k_time = "reads the time";
constexpr std::string_view k_random = "is random";
constexpr std::string_view k_environment = "reads the process's environment";
constexpr std::string_view k_io = "does I/O";
constexpr std::string_view k_log = "writes a log";
constexpr std::string_view k_database = "uses the database (a cache with a timeout may do: django.core.cache)";
constexpr std::string_view k_django_cache = "uses a cache or a connection of Django's";
constexpr std::string_view k_thread = "depends on the thread";
constexpr std::string_view k_interpreter = "depends on the interpreter's state";
constexpr std::string_view k_caller = "depends on what calls it";
constexpr std::string_view k_context = "depends on the context (contextvars)";
constexpr std::string_view k_iterator = "uses up an iterator";
constexpr std::string_view k_attributes = "reads or sets attributes by way of a dict";
constexpr std::string_view k_changes = "changes an object that lives on";
constexpr std::string_view k_unknown_code = "runs code that is not known";
constexpr std::string_view k_unknown = "is watched by a debugger or by coverage: what it does is not known";

struct Row {
  /// Ends with a dot: and everything below it. Begins with one: an attribute of whatever it is.
  std::string_view name;
  std::string_view effect;
};

// Names of the standard library, of Django and of usual clients; those without a module are of `from MODULE import NAME`. The first
// one that fits counts.
constexpr std::array k_names{
    Row{"time.strptime", {}}, // computes
    Row{"time.mktime", {}},
    Row{"time.struct_time", {}},
    Row{"time.tzname", {}},
    Row{"time.timezone", {}},
    Row{"time.daylight", {}},
    Row{"time.", k_time},
    Row{"time", k_time},
    Row{"time_ns", k_time},
    Row{"perf_counter", k_time},
    Row{"perf_counter_ns", k_time},
    Row{"monotonic", k_time},
    Row{"monotonic_ns", k_time},
    Row{"process_time", k_time},
    Row{"sleep", k_time},
    Row{"datetime.now", k_time},
    Row{"datetime.utcnow", k_time},
    Row{"datetime.today", k_time},
    Row{"datetime.datetime.now", k_time},
    Row{"datetime.datetime.utcnow", k_time},
    Row{"datetime.datetime.today", k_time},
    Row{"datetime.date.today", k_time},
    Row{"date.today", k_time},
    Row{"timezone.now", k_time},
    Row{"timezone.localtime", k_time},
    Row{".now", k_time},
    Row{".utcnow", k_time},
    Row{".today", k_time},
    Row{".localdate", k_time},
    Row{".localtime", k_time},
    Row{"random.", k_random},
    Row{"random", k_random},
    Row{"randint", k_random},
    Row{"randrange", k_random},
    Row{"choice", k_random},
    Row{"choices", k_random},
    Row{"shuffle", k_random},
    Row{"secrets.", k_random},
    Row{"uuid.uuid1", k_random},
    Row{"uuid.uuid4", k_random},
    Row{"uuid1", k_random},
    Row{"uuid4", k_random},
    Row{"os.urandom", k_random},
    Row{"urandom", k_random},
    Row{"token_hex", k_random},
    Row{"token_bytes", k_random},
    Row{"token_urlsafe", k_random},
    Row{"get_random_string", k_random},
    Row{".randint", k_random},
    Row{".choice", k_random},
    Row{".choices", k_random},
    Row{".randrange", k_random},
    Row{".random", k_random},
    Row{".shuffle", k_random},
    Row{".gauss", k_random},
    Row{"numpy.random.", k_random},
    Row{"np.random.", k_random},
    Row{"numpy.", {}}, // computes
    Row{"np.", {}},
    Row{".getrandbits", k_random},
    Row{"os.environ", k_environment},
    Row{"os.environ.", k_environment},
    Row{"os.getenv", k_environment},
    Row{"os.getcwd", k_environment},
    Row{"environ", k_environment},
    Row{"environ.", k_environment},
    Row{"getenv", k_environment},
    Row{"os.path.exists", k_io},
    Row{"os.path.isfile", k_io},
    Row{"os.path.isdir", k_io},
    Row{"os.path.getsize", k_io},
    Row{"os.path.getmtime", k_io},
    Row{"genericpath.exists", k_io},
    Row{"genericpath.isfile", k_io},
    Row{"genericpath.isdir", k_io},
    Row{"genericpath.getsize", k_io},
    Row{"genericpath.getmtime", k_io},
    Row{"os.path.", {}}, // computes
    Row{"os.sep", {}},
    Row{"os.fspath", {}},
    Row{"os.getpid", k_environment},
    Row{"os.", k_io},
    Row{"open", k_io},
    Row{"print", k_io},
    Row{"input", k_io},
    Row{"io.open", k_io},
    Row{"sys.stdin.", k_io},
    Row{"sys.stdout.", k_io},
    Row{"sys.stderr.", k_io},
    Row{"socket.", k_io},
    Row{"subprocess.", k_io},
    Row{"shutil.", k_io},
    Row{"tempfile.", k_io},
    Row{"requests.", k_io},
    Row{"urllib3.", k_io},
    Row{"redis.", k_io},
    Row{"botocore.", k_io},
    Row{"httpx.", k_io},
    Row{"aiohttp.", k_io},
    Row{"urlopen", k_io},
    Row{"urllib.request.", k_io},
    Row{"http.client.", k_io},
    Row{"asyncio.", k_io},
    Row{".read", k_io},
    Row{".readline", k_io},
    Row{".readlines", k_io},
    Row{".read_text", k_io},
    Row{".read_bytes", k_io},
    Row{".write", k_io},
    Row{".write_text", k_io},
    Row{".write_bytes", k_io},
    Row{".recv", k_io},
    Row{".send", k_io},
    Row{".sendall", k_io},
    Row{".connect", k_io},
    Row{".urlopen", k_io},
    Row{".exists", k_io}, // pathlib, and QuerySet
    Row{".is_file", k_io},
    Row{".is_dir", k_io},
    Row{".iterdir", k_io},
    Row{".rglob", k_io},
    Row{".mkdir", k_io},
    Row{".unlink", k_io},
    Row{"warnings.warn", k_log},
    Row{"logging.", k_log},
    Row{"logger.", k_log},
    Row{"log.", k_log},
    Row{".objects", k_database},
    Row{".refresh_from_db", k_database},
    Row{".get_or_create", k_database},
    Row{".update_or_create", k_database},
    Row{".bulk_create", k_database},
    Row{".values_list", k_database},
    Row{".select_related", k_database},
    Row{".prefetch_related", k_database},
    Row{".filter", k_database},
    Row{".exclude", k_database},
    Row{".aggregate", k_database},
    Row{".annotate", k_database},
    Row{".select_for_update", k_database},
    Row{".bulk_update", k_database},
    Row{".save", k_database},
    Row{"sqlite3.", k_database},
    Row{"psycopg.", k_database},
    Row{"psycopg2.", k_database},
    Row{"pymongo.", k_database},
    Row{".execute", k_database},
    Row{".executemany", k_database},
    Row{".fetchone", k_database},
    Row{".fetchall", k_database},
    Row{".commit", k_database},
    Row{"connection.cursor", k_database},
    Row{"connections.", k_database},
    Row{"django.utils.connection.", k_django_cache},
    Row{"threading.current_thread", k_thread},
    Row{"threading.get_ident", k_thread},
    Row{"get_ident", k_thread},
    Row{"current_thread", k_thread},
    Row{"django.utils.translation.", k_thread},
    Row{"gettext", k_thread},
    Row{"ngettext", k_thread},
    Row{"pgettext", k_thread},
    Row{"get_language", k_thread},
    Row{".get_language", k_thread},
    Row{"_thread._local.", k_thread},
    Row{"_thread._local", k_thread},
    Row{"_threading_local.local.", k_thread},
    Row{"_contextvars.ContextVar.", k_context},
    Row{"builtins.ContextVar.", k_context}, // up to 3.8
    Row{"ContextVar.", k_context},
    Row{"contextvars.", k_context},
    Row{"getcontext", k_context},
    Row{"localcontext", k_context},
    Row{"decimal.getcontext", k_context},
    Row{"decimal.localcontext", k_context},
    Row{"gc.", k_interpreter},
    Row{"sys._getframe", k_caller},
    Row{"inspect.stack", k_caller},
    Row{"inspect.currentframe", k_caller},
    Row{"iterator.", k_iterator},
    Row{".__dict__", k_attributes},
    Row{"vars", k_attributes},
    Row{"globals", k_attributes},
    Row{"locals", {}}, // of this call
    Row{"builtins.vars", k_attributes},
    Row{"builtins.globals", k_attributes},
    Row{"setattr", k_changes},
    Row{"builtins.setattr", k_changes},
    Row{"builtins.delattr", k_changes},
    Row{"builtins.exec", k_unknown_code},
    Row{"builtins.eval", k_unknown_code},
    Row{"builtins.print", k_io},
    Row{"builtins.input", k_io},
    Row{"_io.", k_io},
    Row{"posix.fspath", {}},
    Row{"posix.getpid", k_environment},
    Row{"posix.getcwd", k_environment},
    Row{"posix.", k_io},
    Row{"_socket.", k_io},
    Row{"_random.", k_random},
    Row{"locale.setlocale", k_changes},
    Row{"sys.setrecursionlimit", k_changes},
    Row{"bisect.insort", k_changes},
    Row{"_bisect.insort", k_changes},
    Row{"_heapq.heappush", k_changes},
    Row{"_heapq.heappop", k_changes},
    Row{"delattr", k_changes},
    Row{"object.__setattr__", k_changes},
    Row{"heapq.heappush", k_changes},
    Row{"heapq.heappop", k_changes},
    Row{"exec", k_unknown_code},
    Row{"eval", k_unknown_code},
    Row{"operator.setitem", k_changes},
    Row{"operator.delitem", k_changes},
    Row{"operator.iadd", k_changes},
    Row{"operator.iconcat", k_changes},
    Row{"operator.ior", k_changes},
    Row{"operator.", {}}, // computes
    Row{"_operator.setitem", k_changes},
    Row{"_operator.delitem", k_changes},
    Row{"_operator.iadd", k_changes},
    Row{"_operator.iconcat", k_changes},
    Row{"_operator.ior", k_changes},
    Row{"_operator.", {}},
    Row{"?", k_unknown},
};

// Methods that change what they are of, if that is a global.
constexpr std::array<std::string_view, 31> k_changing{"append",
                                                      "appendleft",
                                                      "add",
                                                      "update",
                                                      "pop",
                                                      "popitem",
                                                      "popleft",
                                                      "extend",
                                                      "extendleft",
                                                      "insert",
                                                      "remove",
                                                      "discard",
                                                      "clear",
                                                      "put",
                                                      "put_nowait",
                                                      "get_nowait",
                                                      "write",
                                                      "writelines",
                                                      "writerow",
                                                      "setdefault",
                                                      "set",
                                                      "move_to_end",
                                                      "difference_update",
                                                      "intersection_update",
                                                      "symmetric_difference_update",
                                                      "__setitem__",
                                                      "__delitem__",
                                                      "__setattr__",
                                                      "__delattr__",
                                                      "__iadd__",
                                                      "__ior__"};

constexpr std::array k_files{
    Row{"/random.py", k_random},
    Row{"/secrets.py", k_random},
    Row{"/socket.py", k_io},
    Row{"/ssl.py", k_io},
    Row{"/subprocess.py", k_io},
    Row{"/tempfile.py", k_io},
    Row{"/http/client.py", k_io},
    Row{"/urllib/request.py", k_io},
    Row{"/asyncio/base_events.py", k_io},
    Row{"/logging/__init__.py", k_log},
    Row{"/django/db/backends/utils.py", k_database},
};

bool fits(std::string_view row, std::string_view name) {
  if (row.starts_with('.')) { // dt.datetime.now, Order.objects.filter
    const std::size_t at = name.find(row);
    return at != std::string_view::npos && (at + row.size() == name.size() || name[at + row.size()] == '.');
  }
  return row.ends_with('.') ? name.starts_with(row) : name == row;
}

} // namespace

std::string_view effect_of_name(std::string_view name) {
  for (const Row &row : k_names) {
    if (fits(row.name, name)) {
      return row.effect;
    }
  }
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) {
    return {};
  }
  const bool changes = std::find(k_changing.begin(), k_changing.end(), name.substr(dot + 1)) != k_changing.end();
  return changes ? k_changes : std::string_view();
}

bool is_on_the_side(std::string_view name) {
  const std::string_view effect = effect_of_name(name);
  return effect == k_changes || effect == k_log || name == "print" || name == "builtins.print";
}

std::string_view effect_of_file(std::string_view file) {
  for (const Row &row : k_files) {
    if (file.ends_with(row.name)) {
      return row.effect;
    }
  }
  return {};
}

} // namespace awaitscope
