#include "apps/agent/audit_command.hpp"

#include <ostream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "state/audit_log.hpp"

namespace harmony {

namespace {

constexpr int broken = 1;
constexpr int unreadable = 3;

std::string path_of(const audit_request& what) {
  return what.file.empty() ? what.state_dir + "/audit.log" : what.file;
}

audit_verdict verdict_of(const audit_request& what, const std::vector<audit_file>& files) {
  audit_verifier chain{what.anchor};
  for (const auto& each : files)
    chain.take(each.content, each.name);
  // The agent drops the oldest file only when it has them all, or was killed while it renamed one.
  // Of a copy nobody knows what was left behind.
  return chain.verdict(what.file.empty() && files.size() + 1 < audit_limits{}.files);
}

std::string text_of(const audit_verdict& v) {
  std::ostringstream out;
  if (!v.intact)
    out << "broken: " << v.fault << "\n"
        << v.records << " records before that stand on each other\n";
  else if (v.records == 0)
    out << "intact: no records\n";
  else
    out << "intact: " << v.records << " records, " << v.first << " to " << v.head.sequence << "\n";
  if (v.head.sequence != 0)
    out << "head: " << write_audit_mark(v.head) << "\n";
  if (v.first > 1)
    out << "those before " << v.first << " were set aside and dropped, or are not in this file\n";
  if (v.lost != 0)
    out << v.lost << " events could not be kept, as its gap records tell\n";
  if (v.healed != 0)
    out << v.healed << " lines were torn by a loss of power or a kill, and healed\n";
  if (v.torn_end)
    out << "the last line is torn or being written; the agent's next record heals it\n";
  return out.str();
}

std::string json_of(const audit_verdict& v) {
  nlohmann::ordered_json j{{"intact", v.intact},      {"records", v.records}, {"first", v.first},
                           {"last", v.head.sequence}, {"head", v.head.hash},  {"lost", v.lost},
                           {"healed", v.healed},      {"tornEnd", v.torn_end}};
  if (!v.intact)
    j["fault"] = v.fault;
  return j.dump(2) + "\n";
}

std::vector<std::string> lines_of(const std::vector<audit_file>& files, std::size_t most) {
  std::vector<std::string> lines;
  for (const auto& each : files) {
    std::istringstream in{each.content};
    for (std::string line; std::getline(in, line);)
      lines.push_back(std::move(line));
  }
  if (most != 0 && lines.size() > most)
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(most));
  return lines;
}

} // namespace

outcome<audit_verdict> verify_audit(const audit_request& what) {
  const auto files = read_audit_files(path_of(what));
  return files ? outcome<audit_verdict>{verdict_of(what, *files)} : files.error();
}

int run_audit(const audit_request& what, std::ostream& out, std::ostream& err) {
  const auto files = read_audit_files(path_of(what));
  if (!files) {
    err << "harmony-agent: audit: " << files.error().message << "\n";
    return unreadable;
  }
  if (what.what == audit_request::action::verify) {
    const auto v = verdict_of(what, *files);
    out << (what.as_json ? json_of(v) : text_of(v));
    return v.intact ? 0 : broken;
  }
  if (!what.as_json)
    out << audit_header() << "\n";
  for (const auto& line : lines_of(*files, what.lines))
    out << (what.as_json ? line : audit_row(line)) << "\n";
  return 0;
}

} // namespace harmony
