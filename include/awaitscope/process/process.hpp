#pragma once

#include <optional>
#include <string>
#include <vector>

#include "awaitscope/model/ids.hpp"
#include "awaitscope/process/elf_image.hpp"
#include "awaitscope/process/proc_fs.hpp"
#include "awaitscope/process/remote_memory.hpp"
#include "awaitscope/support/error.hpp"
#include "awaitscope/support/unique_fd.hpp"

namespace awaitscope {

/// A live process that may be read. Holds a pidfd, so that a reused PID is never mistaken for it.
class Process {
public:
  /// Fails with no_target if there is no such process (or only its corpse), with denied if it may not be read.
  static Result<Process> open(ThreadId pid);

  [[nodiscard]] ThreadId pid() const { return pid_; }
  [[nodiscard]] bool alive() const;

  /// Whether the kernel lets this process read it at this time: its memory, and its files in /proc. Errors: those of cannot_read(),
  /// no_such_process() once it has ended. Takes some 10 µs.
  [[nodiscard]] Result<void> check_readable() const;
  [[nodiscard]] ProcessMemory memory() const { return ProcessMemory(pid_); }

  /// Fails where /proc refuses, which says that ptrace access is denied.
  [[nodiscard]] Result<std::vector<MapEntry>> maps() const;

  /// TIDs of the host, ascending.
  [[nodiscard]] std::vector<ThreadId> threads() const;

  /// The thread's id as the process itself sees it (its innermost PID namespace).
  [[nodiscard]] ThreadId inner_id(ThreadId tid) const;

  /// The mapped file, through the kernel's own link (a deleted or replaced file, another mount namespace), or through
  /// the process's root.
  [[nodiscard]] std::optional<ElfImage> open_mapped(const MapEntry &mapping) const;

  [[nodiscard]] std::string executable() const;
  /// What the kernel calls it, as ps does: up to 15 bytes, any but NUL and newline at its end.
  [[nodiscard]] std::string command_name() const;
  /// The same of one of its threads.
  [[nodiscard]] std::string thread_name(ThreadId tid) const;
  [[nodiscard]] std::vector<std::string> command_line() const;
  /// As the process itself sees it; empty if that is not known.
  [[nodiscard]] std::string working_directory() const;

private:
  Process(ThreadId pid, UniqueFd pidfd);
  [[nodiscard]] std::string path(std::string_view name) const;

  ThreadId pid_;
  UniqueFd pidfd_;
};

/// The error for a process that may not be read, with every usual remedy.
Error denied_error(ThreadId pid);

/// The error for a process of which something could not be read, or no file could be opened, by errno's value: only what says
/// so means that it has ended.
Error cannot_read(ThreadId pid, int error);

/// The error for a process that does not exist.
Error no_such_process(ThreadId pid);

} // namespace awaitscope
