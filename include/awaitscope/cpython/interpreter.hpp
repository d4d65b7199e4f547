#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "awaitscope/cpython/objects.hpp"
#include "awaitscope/cpython/runtime.hpp"

namespace awaitscope {

/// A PyThreadState.
struct ThreadEntry {
  Address state = 0;
  Address interpreter = 0;
  std::int64_t interpreter_id = 0;
  Address thread_pointer = 0; ///< pthread_self(): the thread pointer on x86-64
  ThreadId native_id = 0;     ///< as the target's own PID namespace counts
};

/// Walks interpreters, their threads and modules in the current snapshot.
class InterpreterReader {
public:
  InterpreterReader(ObjectReader &objects, const PythonRuntime &runtime) : objects_(objects), runtime_(runtime) {}

  /// Of the only interpreter: the word that says that thread_generation() is still this. None if there are several.
  [[nodiscard]] std::optional<GuardedWord> generation_word(std::uint64_t generation) const;

  /// Every thread of every interpreter, as they now are. Thread states that are being made or torn down are left out. Of each
  /// interpreter only those that are newer than the newest one that is `known`.
  std::vector<ThreadEntry> threads(const std::function<bool(const ThreadEntry &)> &known = nullptr);

  /// pthread_self() of each thread of the main interpreter.
  std::vector<Address> thread_pointers();

  /// Changes whenever a thread state is made in any interpreter that interpreters() or threads() last found
  /// (PyInterpreterState.threads.next_unique_id).
  std::uint64_t thread_generation();

  /// Is this still a thread state of the same thread?
  bool same_thread(const ThreadEntry &entry);

  [[nodiscard]] Address main_interpreter();

  /// The thread state that holds the GIL of this interpreter, or 0.
  Address gil_holder(Address interpreter);

  /// The same at this moment, past the snapshot. Nothing if it cannot be read, or more than one thread can run Python at a time.
  std::optional<Address> gil_holder_now(Address interpreter);

  /// Is this address, on which a thread waits in futex(2), one of the interpreter's GIL: of its conditions or mutexes, with glibc's
  /// pthread_cond_t? (With musl's, which waits on the stack, it never is.)
  bool is_in_gil(Address interpreter, Address futex);

  /// Is this the thread state that its thread runs in? One that waits, or is in C code without the GIL, runs in none.
  bool attached(const ThreadEntry &entry);

  /// The dict of an imported module, or 0.
  Address module_dict(Address interpreter, std::string_view module);

  /// The name of the thread's threading.Thread; empty if neither the main interpreter's threading module nor its own knows it.
  std::string thread_name(const ThreadEntry &thread);

  /// The same of many threads, in their order: what would be read for each is read once.
  std::vector<std::string> thread_names(const std::vector<ThreadEntry> &threads);

  /// sys.path's strings.
  std::vector<std::string> import_paths(Address interpreter);

  /// Every interpreter of the process as it now is, the newest first.
  const std::vector<Address> &interpreters();

private:
  std::optional<Address> gil_place(Address interpreter);
  ThreadId native_id(Address thread_state, Address thread_pointer);
  std::vector<Address> interpreters_;
  Address gil_of_ = 0; ///< the interpreter whose GIL is at gil_
  Address gil_ = 0;
  using Named = std::unordered_map<Address, Address>; ///< by ThreadEntry::thread_pointer: the Thread object
  Address active_threads(Address interpreter);
  Named named_in(Address interpreter);
  std::string name_of(Address thread_object);
  std::string name_in(Address interpreter, const ThreadEntry &thread);
  std::unordered_map<Address, Address> active_threads_; ///< threading._active of each interpreter, never rebound

  ObjectReader &objects_;
  const PythonRuntime &runtime_;
};

} // namespace awaitscope
