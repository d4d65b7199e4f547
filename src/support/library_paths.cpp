#include "awaitscope/support/library_paths.hpp"

namespace awaitscope {

std::size_t behind_library(std::string_view file) {
  for (const std::string_view folder : {"/site-packages/", "/dist-packages/"}) {
    if (const std::size_t at = file.rfind(folder); at != std::string_view::npos) {
      return at + folder.size();
    }
  }
  for (const std::string_view folder : {"/lib/python", "/lib64/python"}) {
    const std::size_t at = file.find(folder);
    const std::size_t number = at == std::string_view::npos ? at : at + folder.size();
    const std::size_t slash = number == std::string_view::npos ? number : file.find('/', number);
    if (slash != std::string_view::npos && slash > number &&
        file.substr(number, slash - number).find_first_not_of("0123456789.") == std::string_view::npos) {
      return slash + 1;
    }
  }
  return 0;
}

bool is_program_file(std::string_view file) {
  return behind_library(file) == 0 && !file.starts_with("<frozen ") && !file.empty();
}

} // namespace awaitscope
