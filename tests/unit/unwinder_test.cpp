#include "awaitscope/native/unwinder.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <dlfcn.h>
#include <fcntl.h>
#include <search.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "awaitscope/native/symbolizer.hpp"
#include "awaitscope/sampler/native_reader.hpp"
#include "catch.hpp"
#include "common.hpp"

using namespace awaitscope;

namespace {

Process own_process() {
  Result<Process> process = Process::open(::getpid());
  REQUIRE(process);
  return std::move(*process);
}

RegistersAndStack copied;
NativeReader *reader = nullptr;

/// The registers of this place, and the stack from there on.
[[gnu::noinline]] void capture_here() {
  ucontext_t context{};
  ::getcontext(&context);
  constexpr std::array<int, RegistersAndStack::k_registers> k_places{
      REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
      REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
  for (std::size_t i = 0; i < k_places.size(); ++i) {
    copied.registers[i] = static_cast<std::uint64_t>(context.uc_mcontext.gregs[k_places[i]]);
  }
  reader->copy_stack(copied);
}

} // namespace

// With names of their own, for .symtab; the asm keeps calls from becoming jumps.
extern "C" {
[[gnu::noinline]] void unwinder_test_inner() {
  capture_here();
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] void unwinder_test_middle(unsigned depth) {
  if (depth > 0) {
    unwinder_test_middle(depth - 1);
  } else {
    unwinder_test_inner();
  }
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] int unwinder_test_compare(const void *left, const void *right) {
  capture_here();
  asm volatile("" ::: "memory");
  return *static_cast<const int *>(left) - *static_cast<const int *>(right);
}
[[gnu::noinline]] void unwinder_test_outer(unsigned depth) {
  unwinder_test_middle(depth);
  asm volatile("" ::: "memory");
}
[[gnu::noinline]] void unwinder_test_find() {
  // Not qsort(3), in whose place the sanitizers put another.
  const std::array<int, 1> numbers{1};
  std::size_t count = numbers.size();
  ::lfind(&numbers.front(), numbers.data(), &count, sizeof numbers.front(), unwinder_test_compare);
  asm volatile("" ::: "memory");
}
}

namespace {

/// The names of a stack, root first.
std::vector<std::string> names_of(const NativeStack &stack, const CodeTable &codes) {
  std::vector<std::string> names;
  for (auto frame = stack.frames.rbegin(); frame != stack.frames.rend(); ++frame) {
    names.push_back(codes.at(frame->code).function);
  }
  return names;
}

struct Captured {
  Process process = own_process();
  CodeTable codes;
  NativeReader native{process, codes};
  NativeStack stack;

  explicit Captured(void (*call)()) {
    reader = &native;
    call();
    native.read(copied, stack);
  }
  [[nodiscard]] std::vector<std::string> names() const { return names_of(stack, codes); }
  [[nodiscard]] std::size_t place(const std::string &name) const {
    const std::vector<std::string> all = names();
    const auto found = std::find(all.begin(), all.end(), name);
    REQUIRE(found != all.end());
    return static_cast<std::size_t>(found - all.begin());
  }
};

} // namespace

TEST_CASE("a stack is unwound through functions that were compiled without frame pointers", "[native]") {
  const Captured captured([] { unwinder_test_outer(3); });
  CHECK(captured.stack.loss == NativeLoss::none);
  const std::vector<std::string> names = captured.names();
  CHECK(names.front() == "_start");
  const std::size_t outer = captured.place("unwinder_test_outer");
  REQUIRE(names.size() > outer + 6);
  for (std::size_t i = 1; i <= 4; ++i) {
    CHECK(names[outer + i] == "unwinder_test_middle");
  }
  CHECK(names[outer + 5] == "unwinder_test_inner");
  CHECK(names[outer + 6].find("capture_here") != std::string::npos);
  CHECK(captured.codes.at(captured.stack.frames.front().code).file == "unit_tests");
}

TEST_CASE("the parts of the stack are side by side", "[native]") {
  const Captured captured([] { unwinder_test_outer(5); });
  const auto &frames = captured.stack.frames;
  CHECK(frames.front().stack_begin == copied.stack_pointer());
  for (std::size_t i = 0; i + 1 < frames.size(); ++i) {
    CHECK(frames[i].stack_begin < frames[i].stack_end);
    CHECK(frames[i].stack_end == frames[i + 1].stack_begin);
  }
}

TEST_CASE("a callback stands above the library that calls it", "[native]") {
  const Captured captured([] { unwinder_test_find(); });
  CHECK(captured.stack.loss == NativeLoss::none);
  const std::size_t find = captured.place("unwinder_test_find");
  const std::size_t compare = captured.place("unwinder_test_compare");
  REQUIRE(compare > find + 1);
  const auto &frames = captured.stack.frames;
  for (std::size_t i = find + 1; i < compare; ++i) {
    CHECK(captured.codes.at(frames[frames.size() - 1 - i].code).file == "libc.so.6");
  }
}

TEST_CASE("of a stack that was copied in part, the innermost frames are what they are in the whole", "[native]") {
  const Captured captured([] { unwinder_test_outer(40); });
  const std::vector<std::byte> whole = copied.stack;
  for (std::size_t size = 0; size < std::min<std::size_t>(whole.size(), 6000); size += 24) {
    copied.stack.assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    NativeImages images(captured.process);
    Unwinder unwinder(images);
    NativeStack part;
    unwinder.unwind(copied, part);
    REQUIRE(part.frames.size() <= captured.stack.frames.size());
    if (part.frames.size() < captured.stack.frames.size()) {
      CHECK(part.loss == NativeLoss::short_stack);
    }
    for (std::size_t i = 0; i < part.frames.size(); ++i) {
      CHECK(part.frames[i].instruction == captured.stack.frames[i].instruction);
    }
    size += part.loss == NativeLoss::none ? 600 : 0;
  }
}

TEST_CASE("a deep stack ends at the limit", "[native]") {
  const Captured captured([] { unwinder_test_outer(2000); });
  CHECK(captured.stack.loss == NativeLoss::limit);
  CHECK(captured.stack.frames.size() == Unwinder::k_max_frames);
}

TEST_CASE("registers that make no sense are a loss", "[native]") {
  const Captured captured([] { unwinder_test_outer(0); });
  NativeImages images(captured.process);
  Unwinder unwinder(images);
  NativeStack stack;
  RegistersAndStack nowhere;
  unwinder.unwind(nowhere, stack);
  CHECK(stack.loss == NativeLoss::bad_address);
  CHECK(stack.frames.empty());
  RegistersAndStack empty = copied; // all of its return addresses are 0
  std::fill(empty.stack.begin(), empty.stack.end(), std::byte{0});
  unwinder.unwind(empty, stack);
  CHECK(stack.frames.size() <= 2);
}

TEST_CASE("functions of files are named", "[native]") {
  const Process process = own_process();
  NativeImages images(process);
  Symbolizer symbolizer(process, images);
  const auto address_of = [](const char *name) {
    return reinterpret_cast<Address>(::dlsym(RTLD_DEFAULT, name)); // NOLINT: a function's address as a number
  };
  const NativeName find = symbolizer.name_of(address_of("lfind"));
  CHECK(find.symbol == "lfind");
  CHECK(find.library == "libc.so.6");
  CHECK(find.named);
  CHECK_FALSE(find.of_python);
  const NativeName own = symbolizer.name_of(reinterpret_cast<Address>(&names_of)); // NOLINT: the same
  CHECK(own.symbol.ends_with("names_of"));
  CHECK(own.library == "unit_tests");
  const NativeName nowhere = symbolizer.name_of(0x10);
  CHECK(nowhere.symbol == "0x10");
  CHECK(nowhere.library == "[unknown]");
  CHECK_FALSE(nowhere.named);
}

TEST_CASE("functions made at run time are named by their map, if that is of the process's user", "[native]") {
  const Process process = own_process();
  void *const made = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(made != MAP_FAILED);                        // NOLINT: the system's own
  const auto begin = reinterpret_cast<Address>(made); // NOLINT: the same
  const std::string path = "/tmp/perf-" + std::to_string(::getpid()) + ".map";
  std::ofstream(path) << std::hex << "zz bad line\n"
                      << begin + 16 << " 20 made_function(int)\n"
                      << begin + 64 << " 8 second\n";
  NativeImages images(process);
  Symbolizer symbolizer(process, images);
  CHECK(symbolizer.name_of(begin + 20).symbol == "made_function(int)");
  CHECK(symbolizer.name_of(begin + 20).library == "[JIT]");
  CHECK(symbolizer.name_of(begin + 70).symbol == "second");
  CHECK_FALSE(symbolizer.name_of(begin + 8).named);
  std::filesystem::remove(path);
  ::munmap(made, 4096);
}

TEST_CASE("unwinding by a file of which any byte may be wrong ends", "[native]") {
  // A library whose text lies in the file where it lies in memory, mapped as a whole.
  Dl_info info{};
  REQUIRE(::dladdr(::dlsym(RTLD_DEFAULT, "lfind"), &info) != 0);
  const std::string original = bytes_of(info.dli_fname);
  const auto image = ElfImage::open(info.dli_fname);
  REQUIRE(image);
  const std::optional<ElfSpan> rules = image->section(".eh_frame");
  const std::optional<ElfSpan> text = image->section(".text");
  REQUIRE((rules && text && rules->address + rules->size <= original.size()));
  const std::string path =
      (std::filesystem::temp_directory_path() / ("awaitscope-cfi-" + std::to_string(::getpid()))).string();
  const Process process = own_process();
  std::uint64_t seed = 7;
  const auto next = [&seed] { return (seed = seed * 6364136223846793005ULL + 1442695040888963407ULL) >> 20U; };
  std::size_t frames = 0;
  for (int round = 0; round < 12; ++round) {
    std::string bytes = original;
    for (std::size_t i = 0; i < rules->size / 40; ++i) { // one byte in forty is another one
      bytes[rules->address + next() % rules->size] = static_cast<char>(next());
    }
    std::ofstream(path, std::ios::binary) << bytes;
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    void *const mapped = ::mmap(nullptr, bytes.size(), PROT_READ | PROT_EXEC, MAP_PRIVATE, file.get(), 0);
    REQUIRE(mapped != MAP_FAILED);                        // NOLINT: the system's own
    const auto begin = reinterpret_cast<Address>(mapped); // NOLINT: the same
    NativeImages images(process);
    Unwinder unwinder(images);
    NativeStack stack;
    for (int i = 0; i < 2000; ++i) {
      RegistersAndStack from;
      for (std::uint64_t &one : from.registers) {
        one = begin + next() % bytes.size();
      }
      from.registers[RegistersAndStack::k_stack_pointer] = 0x7000000;
      from.registers[RegistersAndStack::k_instruction] = begin + text->address + next() % text->size;
      std::vector<Address> words(64);
      for (Address &word : words) {
        word = next() % 2 == 0 ? begin + text->address + next() % text->size : 0x7000000 + next() % 512;
      }
      from.stack.resize(words.size() * sizeof words.front());
      std::memcpy(from.stack.data(), words.data(), from.stack.size());
      unwinder.unwind(from, stack);
      frames += stack.frames.size();
    }
    ::munmap(mapped, bytes.size());
  }
  std::filesystem::remove(path);
  CHECK(frames > 12 * 2000);
}
