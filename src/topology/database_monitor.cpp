#include "topology/database_monitor.hpp"

#include <utility>

namespace harmony {

database_monitor::database_monitor(std::string what, std::vector<std::string> files, reader read)
  : files_(std::move(files)), read_(std::move(read)), listing_(std::move(what)) {}

database_monitor::~database_monitor() {
  events_.stop();
}

void database_monitor::start(on_hint sink) {
  events_.start([sink = std::move(sink)](const std::string& /*file*/) { sink({}); });
}

void database_monitor::stop() {
  events_.stop();
}

void database_monitor::watch(std::vector<std::string> targets) {
  bool any = false;
  {
    const std::lock_guard guard{mutex_};
    if (targets == targets_)
      return;
    targets_ = std::move(targets);
    any = !targets_.empty();
  }
  // New targets are to be hinted at; the events' monitor does that when its own change.
  events_.watch({});
  if (any)
    events_.watch(files_);
}

outcome<std::vector<runtime_fact>> database_monitor::relist(std::chrono::milliseconds timeout) {
  std::vector<std::string> targets;
  {
    const std::lock_guard guard{mutex_};
    targets = targets_;
  }
  return listing_.run([read = read_, targets = std::move(targets)] { return read(targets); },
                      timeout);
}

bool database_monitor::streaming() const {
  return events_.streaming();
}

namespace {

using facts = std::vector<runtime_fact>;

outcome<facts> list_packages(package_manager& packages, const std::vector<std::string>& targets) {
  const auto found = packages.look(targets);
  if (!found)
    return found.error();
  facts result;
  result.reserve(targets.size());
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto& info = (*found)[i];
    const bool absent = info.condition == package_condition::absent;
    result.push_back({targets[i], absent ? "" : info.version + " " + info.status});
  }
  return result;
}

outcome<facts> list_accounts(account_manager& accounts, const std::vector<std::string>& targets) {
  facts result;
  result.reserve(targets.size());
  for (const auto& each : targets) {
    const auto found = accounts.look(each);
    if (!found)
      return found.error();
    std::string text;
    if (found->present) {
      // No field has a colon: they come out of lines that are parted by it.
      text = std::to_string(found->uid) + ":" + found->group + ":" + found->home + ":"
             + found->shell + ":" + found->comment;
      for (const auto& group : found->groups)
        text += ":" + group;
    }
    result.push_back({each, std::move(text)});
  }
  return result;
}

} // namespace

std::shared_ptr<runtime_monitor> watch_packages(std::shared_ptr<package_manager> packages,
                                                const std::string& folder) {
  return std::make_shared<database_monitor>(
    "the packages", std::vector<std::string>{folder + "/status"},
    [packages = std::move(packages)](const std::vector<std::string>& targets) {
      return list_packages(*packages, targets);
    });
}

std::shared_ptr<runtime_monitor> watch_accounts(std::shared_ptr<account_manager> accounts) {
  return std::make_shared<database_monitor>(
    "the accounts", std::vector<std::string>{"/etc/passwd", "/etc/group"},
    [accounts = std::move(accounts)](const std::vector<std::string>& targets) {
      return list_accounts(*accounts, targets);
    });
}

} // namespace harmony
