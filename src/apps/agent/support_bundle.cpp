#include "apps/agent/support_bundle.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <sstream>

#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "apps/agent/check.hpp"
#include "apps/agent/device.hpp"
#include "apps/agent/device_facts.hpp"
#include "topology/check_limits.hpp"
#include "topology/process_runner.hpp"
#include "topology/wall_clock.hpp"

namespace harmony {

namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr std::size_t most_output = std::size_t{512} << 10; ///< of one command; its end
constexpr std::size_t audit_lines = 500;

/// What a technician would type first. None prints environments or arguments of containers.
struct asked_command {
  const char* file;
  std::vector<std::string> arguments;
};

std::vector<asked_command> asked_commands(systemd_mode mode) {
  const std::string user = mode == systemd_mode::user ? "--user" : "--system";
  return {
    {"agent.journal",
     {"journalctl", user, "--no-pager", "-o", "short-iso-precise", "-n", "1000",
      mode == systemd_mode::user ? "--user-unit=harmony-agent" : "--unit=harmony-agent"}},
    {"systemctl-status.txt",
     {"systemctl", user, "--no-pager", "--full", "status", "harmony-agent"}},
    {"systemctl-failed.txt", {"systemctl", user, "--no-pager", "--failed"}},
    {"podman-ps.txt",
     {"podman", "ps", "--all", "--format",
      "table {{.ID}} {{.Names}} {{.Image}} {{.Status}} {{.Ports}}"}},
    {"podman-version.txt", {"podman", "version"}},
    {"disk.txt", {"df", "-h"}},
    {"memory.txt", {"free", "-m"}},
    {"network.txt", {"ip", "-br", "address"}},
    {"clock.txt", {"timedatectl", "--no-pager"}},
  };
}

/// What the command prints, or why it does not.
std::string output_of(const std::vector<std::string>& arguments) {
  process_command command;
  command.arguments = arguments;
  command.environment = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                         "LC_ALL=C", "TERM=dumb"};
  for (const char* name : {"HOME", "XDG_RUNTIME_DIR"})
    if (const char* value = std::getenv(name))
      command.environment.push_back(name + std::string{"="} + value);
  command.keep = most_output;
  const auto ended = run_process(command, check_limits{{}, steady_clock::now() + seconds{10}});
  if (!ended)
    return "'" + arguments.front() + "' cannot be run: " + ended.error().message + "\n";
  if (ended->how == process_result::ending::timed_out)
    return ended->output + "\n'" + arguments.front() + "' did not end within 10 s\n";
  return ended->output;
}

std::string text_of(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// The journal has the audit log's lines too, with commands; they are in a file of their own.
std::string without_audit(const std::string& journal) {
  std::string result;
  std::istringstream in{journal};
  for (std::string line; std::getline(in, line);)
    if (line.find("audit {") == std::string::npos)
      result += line + "\n";
  return result;
}

std::string audit_tail(const std::string& path, const redactor& secrets) {
  std::vector<std::string> lines;
  std::istringstream in{text_of(path)};
  for (std::string line; std::getline(in, line);)
    lines.push_back(std::move(line));
  std::string result;
  for (auto i = lines.size() - std::min(lines.size(), audit_lines); i < lines.size(); ++i)
    result += secrets.record(lines[i]) + "\n";
  return result;
}

std::string facts_of(const agent_options& options) {
  const auto link = open_store(store_options_of(options));
  if (!link)
    return link.error().message + "\n";
  linux_device device{options, **link};
  auto facts = device_facts(options.agent_id, *device.drivers());
  (*link)->close();
  return facts + "\n";
}

/// The login of a store's URL, and its parts.
void learn_login(std::string_view url, redactor& secrets) {
  for (auto at = url.find('@'); at != std::string_view::npos; at = url.find('@', at + 1)) {
    const auto from = url.find_last_of("/,", at) + 1;
    const auto login = url.substr(from, at - from);
    secrets.learn(login);
    secrets.learn(login.substr(login.find(':') + 1));
  }
}

std::string config_text(const bundle_request& what, const redactor& secrets) {
  std::string text = what.fault.empty() ? "" : "# not valid: " + what.fault + "\n";
  for (const auto& each : what.given)
    text += each.name + " = \"" + (each.name == "store" ? shown_url(each.value) : each.value)
            + "\"  # " + each.origin + "\n";
  return secrets.scrub(text.empty() ? "# nothing: defaults\n" : text);
}

std::vector<bundle_file> gather(const bundle_request& what) {
  const auto& options = what.options;
  redactor secrets;
  learn_login(options.store, secrets);
  std::vector<bundle_file> files;
  // First: what the manifests hold is taken out of all that follows.
  if (const auto state = dump_state(options.state_dir))
    files = bundle_of(*state, secrets);
  else
    files.push_back({"state/error.txt", state.error().message + "\n"});
  files.push_back({"version.txt", "harmony-agent " HARMONY_VERSION "\nmade "
                                    + format_time(wall_now()) + " on '" + options.agent_id
                                    + "'\n"});
  files.push_back({"config.txt", config_text(what, secrets)});
  files.push_back({"facts.json", secrets.scrub(facts_of(options))});
  files.push_back({"status.json", secrets.record(text_of(options.state_dir + "/status.json"))});
  if (auto crashes = text_of(options.state_dir + "/crashes.json"); !crashes.empty())
    files.push_back({"crashes.json", secrets.record(crashes)});
  files.push_back({"audit.log", audit_tail(options.state_dir + "/audit.log", secrets)});
  std::ostringstream check;
  (void)run_check({options, what.fault, false}, check);
  files.push_back({"check.txt", secrets.scrub(check.str())});
  for (const auto& [file, arguments] : asked_commands(options.systemd))
    files.push_back({file, secrets.scrub(without_audit(output_of(arguments)))});
  return files;
}

/// A private folder that goes with this object.
class scratch_folder {
public:
  scratch_folder() : path_((fs::temp_directory_path() / "harmony-bundle.XXXXXX").string()) {
    made_ = ::mkdtemp(path_.data()) != nullptr;
  }
  ~scratch_folder() {
    std::error_code ignored;
    if (made_)
      fs::remove_all(path_, ignored);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] bool made() const { return made_; }

private:
  std::string path_;
  bool made_ = false;
};

outcome<void> write_files(const fs::path& folder, const std::vector<bundle_file>& files) {
  for (const auto& each : files) {
    const auto path = folder / each.name;
    std::error_code failed;
    fs::create_directories(path.parent_path(), failed);
    std::ofstream out{path, std::ios::binary};
    if (!(out << each.content).flush())
      return {ec::io_error, "'" + path.string()
                              + "' cannot be written; set TMPDIR to where there "
                                "is space"};
  }
  return {};
}

outcome<void> pack(const std::string& folder, const std::string& into) {
  process_command tar;
  tar.arguments = {"tar", "-C", folder, "-czf", into, "--", "."};
  tar.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
  const auto ended = run_process(tar, check_limits{{}, steady_clock::now() + seconds{60}});
  if (!ended)
    return {ended.error().code, "'tar' cannot be run: " + ended.error().message};
  if (!ended->ok())
    return {ec::io_error, "'" + into + "' cannot be written: " + ended->output};
  return {};
}

std::string default_name(const std::string& agent) {
  auto time = format_time(wall_now()).substr(0, 19);
  std::erase(time, '-');
  std::erase(time, ':');
  return "harmony-agent-" + agent + "-" + time + "Z.tar.gz";
}

outcome<std::string> make_bundle(const bundle_request& what) {
  ::umask(077);
  const auto into =
    fs::absolute(what.output.empty() ? default_name(what.options.agent_id) : what.output).string();
  const scratch_folder scratch;
  if (!scratch.made())
    return {ec::io_error, "no folder in '" + fs::temp_directory_path().string()
                            + "': set TMPDIR to where there is space"};
  if (auto written = write_files(scratch.path(), gather(what)); !written)
    return written.error();
  if (auto packed = pack(scratch.path(), into); !packed)
    return packed.error();
  return into;
}

} // namespace

std::vector<bundle_file> bundle_of(const state_dump& state, redactor& secrets) {
  using json = nlohmann::ordered_json;
  std::vector<bundle_file> files;
  auto accepted = json::array();
  for (const auto& each : state.accepted) {
    const auto name = "state/manifest-" + std::to_string(each.generation) + ".json";
    files.push_back({name, secrets.manifest(each.document) + "\n"});
    accepted.push_back({{"generation", each.generation},
                        {"keyEpoch", each.key_epoch},
                        {"hash", each.hash},
                        {"acceptedAt", format_time(each.accepted_at)},
                        {"ending", static_cast<int>(each.ending)},
                        {"why", secrets.scrub(each.why)}});
  }
  files.push_back({"state/schema.sql", state.schema});
  files.push_back({"state/accepted.json", accepted.dump(2) + "\n"});
  for (const auto& table : state.tables) {
    auto rows = json::array();
    for (const auto& row : table.rows) {
      json object;
      for (std::size_t i = 0; i < row.size(); ++i)
        object[table.columns[i]] = secrets.record(row[i]);
      rows.push_back(std::move(object));
    }
    files.push_back({"state/" + table.name + ".json",
                     rows.dump(2, ' ', false, json::error_handler_t::replace) + "\n"});
  }
  return files;
}

int write_support_bundle(const bundle_request& what, std::ostream& out, std::ostream& err) {
  const auto made = make_bundle(what);
  if (!made) {
    err << "harmony-agent: no support bundle: " << made.error().message << "\n";
    return 1;
  }
  out << *made << "\n"
      << "Contents and environments of manifests, commands and logins were taken out; look through "
         "it before\nyou send it: tar -tzf "
      << *made << "\n";
  return 0;
}

} // namespace harmony
