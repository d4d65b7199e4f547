#include "awaitscope/native/symbolizer.hpp"

#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "awaitscope/native/symbol_table.hpp"
#include "awaitscope/support/text.hpp"
#include "demangle.hpp"
#include "perf_map.hpp"

namespace awaitscope {
namespace {

constexpr std::size_t k_max_names = 65536;
constexpr std::string_view k_python_function = "PyEval_EvalCode"; // Include/ceval.h: exported in every version

/// A folder as a process sees it whose root this is: what is mapped is named as this process sees it (chroot(2)).
std::string inside(const std::string &root, const std::string &folder) {
  std::error_code error;
  const std::string outside = std::filesystem::read_symlink(root, error);
  return outside.size() > 1 && folder.starts_with(outside + "/") ? folder.substr(outside.size()) : folder;
}

} // namespace

Symbolizer::Symbolizer(const Process &process, NativeImages &images)
    : process_(process), images_(images), made_(std::make_unique<PerfMap>()) {}

Symbolizer::~Symbolizer() = default;

void Symbolizer::forget() { names_.clear(); }

const Symbolizer::Library &Symbolizer::library_of(const NativeImage &image) {
  const auto [known, added] = libraries_.try_emplace(&image);
  if (added) {
    const std::string root = fmt::format("/proc/{}/root", process_.pid());
    known->second.symbols =
        std::make_unique<SymbolTable>(image.file(), std::vector<std::string>{root, ""}, inside(root, image.folder()));
    known->second.of_python = image.file().symbol(k_python_function).has_value();
  }
  return known->second;
}

NativeName Symbolizer::find(Address instruction) {
  NativeName name;
  NativeImage *const image = images_.image_at(instruction);
  if (image == nullptr) {
    made_->refresh(process_);
    const std::optional<std::string> function = made_->find(instruction);
    name.named = function.has_value();
    name.symbol = function ? valid_utf8(*function) : fmt::format("{:#x}", instruction);
    name.library = function ? "[JIT]" : "[unknown]";
    return name;
  }
  const Address offset = instruction - image->bias();
  const Library &library = library_of(*image);
  const std::optional<std::string_view> symbol = library.symbols->find(offset);
  name.named = symbol.has_value();
  name.of_python = library.of_python;
  if (symbol) {
    name.symbol = valid_utf8(demangled(*symbol));
  } else { // one name for all of a function, where it is known where that begins
    const std::optional<NativeImage::UnwindEntry> entry = image->find_unwind_entry(instruction);
    name.symbol = fmt::format("{:#x}", entry ? entry->function - image->bias() : offset);
  }
  name.library = valid_utf8(image->name());
  return name;
}

const NativeName &Symbolizer::name_of(Address instruction) {
  if (const auto known = names_.find(instruction); known != names_.end()) {
    return known->second;
  }
  if (names_.size() >= k_max_names) {
    names_.clear();
  }
  return names_.emplace(instruction, find(instruction)).first->second;
}

} // namespace awaitscope
