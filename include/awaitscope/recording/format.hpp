#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// The recording, a file named *.ascope.
///
///   head    8 bytes of magic, u32 revision, u32 of XXH3 of the two
///   frame   u32 length, u32 length of the block, u64 XXH3 of the data (seeded with both lengths), data
///   frame   …
///
/// Numbers outside blocks are little-endian. The data of all frames together is one zstd stream that is flushed behind each
/// frame, so that a frame's block is known as soon as the frame is there, and yet a block of a second of samples is
/// compressed with the seconds before it in the window: single blocks would be a fifth bigger, and an idle target's (of
/// which there is nothing to say but that time has passed) five times.
///
/// Why so: a recorder is killed, and disks are full. Everything is appended and nothing is ever changed, so each prefix of a
/// recording is a recording, up to its last whole frame. A reader takes no byte that its checksum does not vouch for, and
/// allocates nothing before that. No index is at the end: it would be missing when it matters most. Frames cannot be skipped,
/// because what they intern is needed later on; a pass over ten million samples takes a second, which no index would beat.
///
/// A block is a list of sections: u8 kind, varint length, contents. A reader skips kinds that it does not know, and columns
/// behind those that it knows, so both may be added without a new revision. A table section has a varint count of rows, then
/// its columns, each a varint length and its values in the order of rows: values of one kind stand together, which is what
/// makes them compress. Values are varints (LEB128), zigzag where they may be negative.
///
///   info        once, in the first block: RecordingInfo, field by field
///   texts       bytes shared with the text before, bytes more, these bytes. Numbered from 1: text 0 is empty
///   codes       function (text), file (text), first line
///   stacks      the trace tree's nodes: own number minus parent's, code, line minus the code's first, kind
///   threads     tid, name (text); both less those of the thread before; process (text)
///   tasks       address, coroutine (code + 1, 0 if not known), name (text), process (text). Numbered from 1
///   requests    bits (resolved, of a task), own number minus that of the request's first row, method, route, view, process (texts).
///               Numbered from 1. Another row of a request says what has become known of it since
///   samples     first time (since the row before), thread, bits, task, stack, CPU time, events, count - 2, duration, calls that
///               are not the stack's own, calls that are, new ones of these, of those the ones like those before, time since the
///               thread was read before + 1 (0: never), request, statement of SQL (text), thread that holds the GIL + 1 (0: not
///               known); all but the first three and the stack only in rows whose bits say so. A bit says that contexts were entered
///               or left since the thread's row before
///   task changes time (since the row before), since the look before + 1 (0: none), task, state, stack, CPU time, first own
///               frame of a new call + 1, root task (0: itself), root thread + 1 (0: none), request (0: none)
///   totals      SamplingTotals so far, and whether this is the end; what the kernel counted of the event in all threads; the
///               CPU time of each process (text); the engine that is in use (text)
///   argument keys  function (code), what else there is of it and the traits (bits), self, others and state (8 bytes each, if the
///               bits say so), values (text). Numbered from 1: 0 stands for arguments that are not known
///   function facts  function (code), kind, name (text)
///   seen calls  row of the block's samples less that of the seen call before, frames of its stack inside of the call, key, function
///               (code; only with key 0)
///   traced calls  begin (since the row before), thread, bits, key, function (code; only with key 0), returned (8 bytes), duration,
///               CPU time, time in other traced calls, the latter three in nanoseconds and the last two only if the bits say so
///   lost calls  function (code), calls of it that are missing here, besides those of earlier rows
///   import paths  those of processes that were attached to since: further ones, besides the info's
///
/// Each thing is interned once, in the block of its first use, and its number is its place: it is never repeated.
/// Times and CPU times are in a unit that the info names: a hundredth of the sampling period, but within 1 and 10 µs. The
/// moment of a sample says no more, and each digit below is noise that costs half a byte a sample. What is left of a CPU time
/// goes to the thread's next sample, so that sums are exact. Events of which there are about as many as nanoseconds
/// (instructions, cycles, clocks) are told alike; of all others each single one.
///
/// Equal samples of one thread at successive ticks are one row with a count, for a second at most; so a thread that
/// waits costs some ten bytes a second at any rate. A tick by itself is not written at all. Counts are of the rate that was asked
/// for: while the rate is lowered, a sample counts for the ticks that are left out, so that readers need not know when that was.
/// A row that counts as no sample (a bit says so) is the account of a thread at the recording's end: what it has used since its
/// last row. So the CPU times of all rows of such a thread are what the kernel counted; of other threads, which ended before,
/// only the totals of their process have all.
namespace awaitscope::format {

inline constexpr std::string_view k_magic{"\x8F"
                                          "ascope\n",
                                          8};
inline constexpr std::uint32_t k_revision = 1;
inline constexpr std::size_t k_head_size = 16;
inline constexpr std::size_t k_frame_head_size = 16;

// A reader refuses what is beyond these, and what is beyond those of limits.hpp.
inline constexpr std::size_t k_max_block = std::size_t{1} << 20U;
inline constexpr std::size_t k_max_frame = k_max_block + (k_max_block >> 7U) + 1024; // zstd's worst case, and flushes
inline constexpr std::size_t k_max_rows = std::size_t{1} << 16U;
inline constexpr std::size_t k_max_text = std::size_t{1} << 16U;
inline constexpr std::size_t k_max_import_paths = std::size_t{1} << 12U;
inline constexpr std::size_t k_max_shared = 64;                        // a text with the one before
inline constexpr std::uint64_t k_max_number = std::uint64_t{1} << 60U; // of nanoseconds, or counts
inline constexpr std::int64_t k_min_unit = 1'000;                      // of time, in nanoseconds
inline constexpr std::int64_t k_max_unit = 10'000;
inline constexpr int k_window_log = 18;

/// What a recording of so many bytes may become when it is read, but for its texts, which are bounded by themselves. Rows of samples
/// are not so alike that they compress to a hundredth, since their times are not (hundreds of threads that wait: to a thirtieth),
/// so a file that expands more was made to take a reader's memory.
inline constexpr std::uint64_t k_content_free = std::uint64_t{1}
                                                << 20U; ///< bytes of blocks that any recording may have
inline constexpr std::uint64_t k_content_per_byte = 100;
/// The same of the stacks that samples and tasks are in, each once, in bytes of their frames' names (and k_shown_per_frame for each
/// frame). A stack of a thousand frames costs some ten bytes if all of it but its last frame is known.
inline constexpr std::uint64_t k_shown_free = std::uint64_t{32} << 20U;
inline constexpr std::uint64_t k_shown_per_byte = 8192;
inline constexpr std::uint64_t k_shown_per_frame = 16;

// A writer cuts a block when it has this much.
inline constexpr std::size_t k_enough_rows = std::size_t{1} << 13U;
inline constexpr std::size_t k_enough_bytes = std::size_t{1} << 17U;

enum class Section : std::uint8_t {
  info = 1,
  texts,
  codes,
  stacks,
  threads,
  tasks,
  samples,
  task_changes,
  totals,
  import_paths,
  argument_keys,
  function_facts,
  seen_calls,
  traced_calls,
  lost_calls,
  requests
};

} // namespace awaitscope::format
