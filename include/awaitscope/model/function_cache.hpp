#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/model/process_description.hpp"

namespace awaitscope {

/// What cache_info() of a functools.lru_cache says at one moment: since it was made, or cleared last.
struct CacheCounts {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
  std::uint64_t currsize = 0;
};

/// A functools.lru_cache of a process. Text is valid UTF-8.
struct FunctionCache {
  Address id = 0;       ///< of the wrapper, id() in the program
  std::string function; ///< qualified name of what is wrapped
  std::string module;   ///< empty: unknown
  std::string file;     ///< as it stands in the code object; empty: it is no Python function
  std::int32_t line = 0;
  std::int64_t interpreter = 0;
  std::optional<std::uint64_t> maxsize; ///< none: unbounded
  bool typed = false;
  CacheCounts counts;
  std::optional<CacheCounts> earlier; ///< CacheSurvey::between_ns before
};

/// The caches that were found in a process.
struct CacheSurvey {
  ProcessDescription process;
  std::vector<std::string> import_paths; ///< sys.path
  std::vector<FunctionCache> caches;
  std::int64_t between_ns = 0; ///< from the first reading of all to the second; 0: there was one only
  std::size_t modules = 0;     ///< that were searched
  std::size_t left_out = 0;    ///< dicts and the like that are too large, or changed whenever they were read
  bool out_of_time = false;    ///< the search was ended before it was through
  std::size_t unreadable = 0;  ///< caches of which no reading made sense, or that are gone again
};

} // namespace awaitscope
