#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <vector>

#include "awaitscope/cpython/call_marks.hpp"
#include "awaitscope/cpython/code_cache.hpp"
#include "awaitscope/cpython/lru_caches.hpp"
#include "awaitscope/model/argument_calls.hpp"

namespace awaitscope {

/// Finds which functions others call: by the names in their code, as the dicts of modules and classes have them now. Effects of short
/// functions, which no sample sees, become known so; and "t.time" becomes "time.time". What is called by other means (a value out
/// of a container, an argument) is not found. What C code and the standard library call is not read: their names say it.
///
/// Reads past the snapshots of samples, while the target runs: what is torn reads as nothing. So each function is read twice, the second
/// time half a second later: that also finds what its first call imports.
class CalleeReader {
public:
  /// All of them must live as long as this.
  CalleeReader(RemoteMemory &remote, const Layout &layout, CodeTable &codes);

  /// What the names of a code object are looked up in.
  struct Scope {
    Address globals = 0; ///< a dict
    Address owner = 0;   ///< the class of `self`, or 0
    Address closure = 0; ///< a tuple of cells, or 0
  };

  /// A function that was met.
  void add(CodeId id, Address code, Scope scope);

  /// Reads a few of those that were added, checks now and then whether what they read has changed, and appends what it finds.
  void work(std::vector<FunctionFact> &facts);

private:
  struct Waiting {
    Address code = 0;
    CodeId id = 0;
    Scope scope;
    int depth = 0;           ///< calls from one that was added
    std::int64_t due_ns = 0; ///< CLOCK_MONOTONIC; 0: it was not read yet
  };
  using Path = std::span<const std::string>;

  /// What a function reads, which is no function.
  struct Watched {
    CodeId id = 0;
    Scope scope;
    std::vector<std::string> path;
    std::string value; ///< mark_of() what it was
  };

  void read(const Waiting &waiting);
  void resolve(Address value, std::string_view prefix, Path rest);
  void resolve_member(Address type, const std::string &name);
  bool add_functions(Address value, Address owner);
  void add_function(Address function, Address owner);
  void add_edge(FunctionFact::Kind kind, Address code, Scope scope);
  void add_fact(FunctionFact::Kind kind, std::string name);
  void add_use(const std::string &name, Path rest);
  void watch(const Waiting &waiting, std::vector<std::string> path);
  void check_again();
  Address value_of(const Scope &scope, Path path);
  std::string mark_of(CodeId reader, Address value);
  void append_contents(Address value, Address type, std::string &mark);
  void add_inherited(Address type, const std::vector<std::string> &names);
  std::vector<Address> order_of(Address type);
  Address member_of(Address type, std::string_view name);
  std::string type_name(Address type);
  std::string text(Address str);

  SnapshotMemory memory_;
  ObjectReader objects_;
  Address no_counter_ = 0; ///< code is checked at each use
  CodeCache codes_;
  CallMarkReader marks_;
  LruCacheReader wrappers_;
  std::deque<Waiting> waiting_;
  std::unordered_set<Address> met_; ///< code objects
  std::deque<Watched> watched_;
  std::int64_t next_check_ns_ = 0; ///< CLOCK_MONOTONIC
  const Waiting *current_ = nullptr;
  std::vector<FunctionFact> *facts_ = nullptr;
  std::set<std::tuple<CodeId, FunctionFact::Kind, std::string>> reported_;
};

} // namespace awaitscope
