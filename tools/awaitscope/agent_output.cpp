#include "agent_output.hpp"

#include <array>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "awaitscope/recording/bytes.hpp"
#include "awaitscope/support/text.hpp"

namespace awaitscope::tools {
namespace {

using Json = nlohmann::json;

constexpr std::size_t k_most_notes = std::size_t{1} << 20U;
constexpr std::size_t k_most_calls = k_agent_call_size << 14U;
constexpr std::size_t k_longest_line = std::size_t{1} << 18U;
constexpr off_t k_page = 4096;

std::string read_from(const UniqueFd &file, off_t at, std::size_t most) {
  std::string bytes(most, '\0');
  const ssize_t got = file.valid() ? ::pread(file.get(), bytes.data(), bytes.size(), at) : 0;
  bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return bytes;
}

std::string text_in(const Json &object, const char *name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? valid_utf8(found->get_ref<const std::string &>())
                                                     : std::string();
}

std::uint64_t number_in(const Json &object, const char *name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

} // namespace

AgentNote parse_note(std::string_view line) {
  AgentNote note;
  const Json object = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    return note;
  }
  for (const auto &[name, field] :
       {std::pair("event", &note.event), std::pair("what", &note.what), std::pair("hint", &note.hint),
        std::pair("module", &note.module), std::pair("name", &note.name), std::pair("file", &note.file),
        std::pair("python", &note.python), std::pair("executable", &note.executable), std::pair("why", &note.why),
        std::pair("failure", &note.failure), std::pair("names", &note.names), std::pair("locals", &note.locals),
        std::pair("derefs", &note.derefs), std::pair("free", &note.free), std::pair("bytecode", &note.bytecode),
        std::pair("resolved", &note.resolved), std::pair("contains", &note.contains)}) {
    *field = text_in(object, name);
  }
  for (const auto &[name, field] :
       {std::pair("number", &note.number), std::pair("line", &note.line), std::pair("tid", &note.tid),
        std::pair("lost", &note.lost), std::pair("failed", &note.failed), std::pair("cpu", &note.cpu),
        std::pair("flags", &note.flags), std::pair("positional", &note.positional),
        std::pair("keyword_only", &note.keyword_only)}) {
    *field = number_in(object, name);
  }
  return note;
}

AgentCall parse_call(std::string_view record) {
  AgentCall call;
  std::size_t at = 0;
  for (std::uint32_t *field : {&call.function, &call.tid}) {
    *field = fixed_at<std::uint32_t>(record, at);
    at += sizeof *field;
  }
  for (std::uint64_t *field :
       {&call.begin_ns, &call.duration_ns, &call.inner_ns, &call.cpu_ns, &call.self, &call.others, &call.returned}) {
    *field = fixed_at<std::uint64_t>(record, at);
    at += sizeof *field;
  }
  call.flags = fixed_at<std::uint32_t>(record, at);
  return call;
}

std::vector<AgentNote> AgentOutput::take_notes() {
  std::vector<AgentNote> notes;
  const std::string bytes = read_from(notes_, notes_at_, k_most_notes);
  notes_at_ += static_cast<off_t>(bytes.size());
  line_ += bytes;
  std::size_t begin = 0;
  for (std::size_t end = line_.find('\n'); end != std::string::npos; end = line_.find('\n', begin)) {
    if (AgentNote note = parse_note(std::string_view(line_).substr(begin, end - begin)); !note.event.empty()) {
      notes.push_back(std::move(note));
    }
    begin = end + 1;
  }
  line_.erase(0, begin);
  if (line_.size() > k_longest_line) {
    line_.clear();
  }
  return notes;
}

std::vector<AgentCall> AgentOutput::take_calls() {
  const std::string bytes = read_from(calls_, calls_at_, k_most_calls);
  std::vector<AgentCall> calls;
  const std::size_t whole = bytes.size() / k_agent_call_size;
  calls.reserve(whole);
  for (std::size_t i = 0; i < whole; ++i) {
    calls.push_back(parse_call(std::string_view(bytes).substr(i * k_agent_call_size, k_agent_call_size)));
  }
  calls_at_ += static_cast<off_t>(whole * k_agent_call_size);
  if (const off_t freed = calls_at_ / k_page * k_page; freed > 0 && whole > 0) {
    // What the file takes stays small, however long the trace: the agent writes while there is room for more.
    ::fallocate(calls_.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, freed);
  }
  return calls;
}

} // namespace awaitscope::tools
