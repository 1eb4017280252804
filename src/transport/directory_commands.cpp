#include "transport/directory_commands.hpp"

#include <array>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <fcntl.h>
#include <mutex>
#include <random>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "transport/store_rules.hpp"

namespace harmony::directory {

namespace fs = std::filesystem;

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr std::chrono::minutes answers_kept{10};

/// Milliseconds since 1970: processes of one machine share the clock.
std::int64_t since_1970(system_clock::time_point t) {
  return std::chrono::duration_cast<milliseconds>(t.time_since_epoch()).count();
}

std::string temporary_of(const std::string& name) {
  return "." + name + ".tmp";
}

/// "harmony-command/1 verb=ping until=1767225600000\n" and the payload.
struct request_file {
  std::string verb;
  std::int64_t until = 0;
  std::string payload;
};

std::string header_of(std::string_view verb, std::int64_t until) {
  return "harmony-command/1 verb=" + std::string{verb} + " until=" + std::to_string(until) + "\n";
}

/// Nothing for a text that is no request.
std::optional<request_file> parse_request(const std::string& bytes) {
  const auto end = bytes.find('\n');
  std::array<char, 40> verb{};
  long long until = 0;
  if (end == std::string::npos
      || std::sscanf(bytes.c_str(), "harmony-command/1 verb=%39[a-z] until=%lld", verb.data(),
                     &until)
           != 2)
    return std::nullopt;
  return request_file{verb.data(), until, bytes.substr(end + 1)};
}

fs::path lock_file(const fs::path& root, std::string_view agent) {
  return root / command_folder / ("." + std::string{agent} + ".serving");
}

/// The lock of who serves `agent`, if it can be had.
outcome<open_fd> open_lock(const fs::path& path, int flags) {
  open_fd fd{::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0640)};
  if (!fd)
    return from_errno(errno, "open '" + path.string() + "'");
  return fd;
}

/// Removes answers that nobody took.
void drop_old_answers(const fs::path& folder) {
  const auto oldest = fs::file_time_type::clock::now() - answers_kept;
  std::error_code error;
  for (fs::directory_iterator it{folder, error}, end; !error && it != end; it.increment(error)) {
    std::error_code gone;
    if (const auto written = it->last_write_time(gone); !gone && written < oldest)
      fs::remove(it->path(), gone);
  }
}

/// An agent's end: takes requests away and gives them to its sink.
class server {
public:
  server(fs::path root, std::string agent, open_fd lock, store::on_command sink)
    : root_(std::move(root)),
      prefix_(std::move(agent) + "."),
      lock_(std::move(lock)),
      sink_(std::move(sink)) {}

  /// `name`: a file that appeared; empty: any may have.
  void on_file(const std::string& name) {
    if (!name.empty()) {
      take(name);
      return;
    }
    std::error_code error;
    for (fs::directory_iterator it{root_ / command_folder, error}, end; !error && it != end;
         it.increment(error))
      take(it->path().filename().string());
  }

private:
  void take(const std::string& name) {
    if (name.rfind(prefix_, 0) != 0)
      return;
    const auto folder = open_folder(root_ / command_folder);
    if (!folder)
      return;
    const auto content = read_at(*folder, name);
    if (!content || !*content || ::unlinkat(folder->get(), name.c_str(), 0) != 0)
      return; // its caller took it back
    auto request = parse_request((*content)->bytes);
    if (!request || request->until < since_1970(system_clock::now()))
      return;
    sink_(
      {std::move(request->verb), std::move(request->payload),
       [root = root_, name](std::string_view answer) { return put_answer(root, name, answer); }});
  }

  static outcome<void> put_answer(const fs::path& root, const std::string& name,
                                  std::string_view answer) {
    drop_old_answers(root / answer_folder);
    const auto folder = open_folder(root / answer_folder);
    if (!folder)
      return folder.error();
    return replace_at(*folder, name, temporary_of(name), answer, {}, false);
  }

  const fs::path root_;
  const std::string prefix_;
  const open_fd lock_;
  const store::on_command sink_;
};

/// Holds the server as long as its subscription.
class serving final : public subscription {
public:
  serving(std::unique_ptr<subscription> files, std::shared_ptr<server> what)
    : what_(std::move(what)), files_(std::move(files)) {}

private:
  std::shared_ptr<server> what_;
  std::unique_ptr<subscription> files_; // goes first: no callback after it
};

std::string new_request_name(std::string_view agent) {
  std::random_device random;
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%08x%08x", random(), random());
  return std::string{agent} + "." + text.data();
}

} // namespace

outcome<std::unique_ptr<subscription>> serve_commands(const fs::path& root, watcher& events,
                                                      std::string_view agent,
                                                      store::on_command sink) {
  for (const auto folder : {command_folder, answer_folder})
    if (auto made = make_folder(root / folder); !made)
      return made.error();
  auto lock = open_lock(lock_file(root, agent), O_RDWR | O_CREAT);
  if (!lock)
    return lock.error();
  if (::flock(lock->get(), LOCK_EX | LOCK_NB) != 0)
    return {ec::name_conflict,
            "another process serves the commands of agent '" + std::string{agent} + "' already"};
  auto what = std::make_shared<server>(root, std::string{agent}, std::move(*lock), std::move(sink));
  auto files = events.watch(std::string{command_folder}, {},
                            [what](const std::string& name) { what->on_file(name); });
  if (!files)
    return files.error();
  return std::unique_ptr<subscription>{std::make_unique<serving>(std::move(*files), what)};
}

struct command_call::mailbox {
  std::mutex mutex;
  std::condition_variable changed;
  bool came = false;
  bool canceled = false;

  void set(bool mailbox::*what) {
    const std::lock_guard guard{mutex};
    this->*what = true;
    changed.notify_all();
  }
};

command_call::command_call(const fs::path& root, watcher& events, std::string_view agent)
  : root_(root),
    events_(events),
    agent_(agent),
    name_(new_request_name(agent)),
    mailbox_(std::make_shared<mailbox>()) {}

command_call::~command_call() {
  if (commands_)
    ::unlinkat(commands_.get(), name_.c_str(), 0); // where nobody took it
}

void command_call::cancel() {
  mailbox_->set(&mailbox::canceled);
}

outcome<std::string> command_call::run(std::string_view verb, std::string_view payload,
                                       steady_clock::time_point until) {
  const auto lock = open_lock(lock_file(root_, agent_), O_RDONLY);
  if (!lock || ::flock(lock->get(), LOCK_SH | LOCK_NB) == 0)
    return nobody_serves(agent_);
  auto answers = open_folder(root_ / answer_folder);
  if (!answers)
    return answers.error();
  auto commands = open_folder(root_ / command_folder);
  if (!commands)
    return commands.error();
  commands_ = std::move(*commands);
  const auto told = events_.watch(std::string{answer_folder}, name_,
                                  [box = mailbox_](const auto&) { box->set(&mailbox::came); });
  if (!told)
    return told.error();
  const auto left = until - steady_clock::now();
  const auto deadline = system_clock::now() + std::chrono::duration_cast<milliseconds>(left);
  if (auto sent = replace_at(commands_, name_, temporary_of(name_),
                             header_of(verb, since_1970(deadline)), payload, false);
      !sent)
    return sent.error();
  for (;;) {
    std::unique_lock guard{mailbox_->mutex};
    const auto ready = [&] { return mailbox_->came || mailbox_->canceled; };
    if (!mailbox_->changed.wait_until(guard, until, ready))
      return {ec::timed_out,
              "agent '" + agent_ + "' did not answer '" + std::string{verb} + "' in time"};
    if (mailbox_->canceled)
      return {ec::store_unavailable, "the store '" + root_.string() + "' was closed"};
    mailbox_->came = false;
    guard.unlock();
    // The first hint of a watch says nothing yet.
    const auto content = read_at(*answers, name_);
    if (!content)
      return content.error();
    if (!*content)
      continue;
    ::unlinkat(answers->get(), name_.c_str(), 0);
    return (*content)->bytes;
  }
}

} // namespace harmony::directory
