#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "awaitscope/native/native_images.hpp"

namespace awaitscope {

class PerfMap;
class SymbolTable;

/// The function that an instruction is of, for people.
struct NativeName {
  std::string
      symbol; ///< as its language writes it; "0xOFFSET" in the library where it has no name, of its begin if that is known
  std::string library;    ///< the name of the file; "[vdso]", "[JIT]" or "[unknown]" where there is none
  bool named = false;     ///< the symbol is known
  bool of_python = false; ///< the library is the interpreter: it exports PyEval_EvalCode
};

/// Names instructions of a process.
class Symbolizer {
public:
  /// Both must outlive this.
  Symbolizer(const Process &process, NativeImages &images);
  ~Symbolizer();
  Symbolizer(const Symbolizer &) = delete;
  Symbolizer &operator=(const Symbolizer &) = delete;

  /// Holds until forget().
  const NativeName &name_of(Address instruction);

  /// After NativeImages::refresh() has found a change.
  void forget();

private:
  struct Library {
    std::unique_ptr<SymbolTable> symbols;
    bool of_python = false;
  };
  const Library &library_of(const NativeImage &image);
  NativeName find(Address instruction);

  const Process &process_;
  NativeImages &images_;
  std::unordered_map<const NativeImage *, Library> libraries_;
  std::unordered_map<Address, NativeName> names_;
  std::unique_ptr<PerfMap> made_;
};

} // namespace awaitscope
