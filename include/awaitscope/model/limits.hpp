#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// How much one recording may hold. A recorder keeps to these, so that it takes no more than some hundred megabytes however
/// long it records and whatever the target does; a reader refuses what is beyond them, which no recorder writes.
namespace awaitscope::limits {

inline constexpr std::size_t k_max_codes = std::size_t{1} << 19U;
inline constexpr std::uint64_t k_max_code_bytes = std::uint64_t{1}
                                                  << 26U; ///< names of all codes, files as often as they are named
inline constexpr std::size_t k_max_texts = std::size_t{1} << 20U;
inline constexpr std::uint64_t k_max_text_bytes = std::uint64_t{1} << 26U; ///< of all texts
inline constexpr std::size_t k_max_stack_nodes = std::size_t{1} << 21U;    ///< of the tree of all stacks
inline constexpr std::size_t k_max_depth = std::size_t{1} << 10U;          ///< frames of one stack
inline constexpr std::size_t k_max_threads = std::size_t{1} << 15U;
inline constexpr std::size_t k_max_tasks = std::size_t{1} << 18U;
inline constexpr std::size_t k_max_argument_keys = std::size_t{1} << 19U; ///< beyond it arguments are not known
inline constexpr std::size_t k_max_requests = std::size_t{1} << 20U;      ///< beyond it samples have none
inline constexpr std::size_t k_max_facts = std::size_t{1} << 19U;         ///< of functions; beyond it they are left out

/// Stands for names that there is no room for, and for threads and tasks.
inline constexpr std::string_view k_left_out = "[left out]";

} // namespace awaitscope::limits
