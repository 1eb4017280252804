// What is to be done for files and folders: the tables are in docs/reconcilers.

#include <cerrno>
#include <string>
#include <vector>

#include "reconcilers/directory.hpp"
#include "reconcilers/file.hpp"
#include "support/catch.hpp"
#include "topology/files_digest.hpp"
#include "topology/files_posix.hpp"
#include "unit/reconcilers/plan_table.hpp"

namespace harmony {
namespace {

using files = file_reconciler<posix_device>;
using directories = directory_reconciler<posix_device>;

/// What is wanted and what is seen; the wanted owner is always root:root.
template <class Spec>
struct entry_case {
  desired<Spec> want;
  observed_entry seen;
};
using file_case = entry_case<file_spec>;
using directory_case = entry_case<directory_spec>;
using test::vocabulary;

file_case usual_file() {
  file_case it{{{"File", "motd"}, {}, {}, {}}, {}};
  it.want.spec.path = "/etc/motd";
  it.want.spec.content = "a";
  it.seen.owned = true;
  it.seen.found.type = file_type::regular;
  it.seen.found.mode = 0644;
  it.seen.found.links = 1;
  it.seen.found.sha256 = sha256_of("a");
  return it;
}

directory_case usual_directory() {
  directory_case it{{{"Directory", "conf"}, {}, {}, {}}, {}};
  it.want.spec.path = "/etc/conf.d";
  it.seen.owned = true;
  it.seen.found.type = file_type::directory;
  it.seen.found.mode = 0755;
  return it;
}

template <class Case>
vocabulary<Case> entry_now() {
  const auto type = [](file_type is) {
    return [is](Case& it, const std::string&) {
      it.seen.found.type = is;
      it.seen.found.sha256.clear();
    };
  };
  return {
    {"in place", [](Case&, const std::string&) {}},
    {"nothing", [](Case& it, const std::string&) { it.seen.found = {}; }},
    {"never ours", [](Case& it, const std::string&) { it.seen.owned = false; }},
    {"foreign", [](Case& it, const std::string&) { it.seen.owned = false; }},
    {"mode ", [](Case& it, const std::string& value) { it.seen.found.mode = *parse_mode(value); }},
    {"owner ",
     [](Case& it, const std::string& value) {
       it.seen.found.uid = 1000, it.seen.owner = value, it.seen.wanted_owner = "root";
     }},
    {"group ",
     [](Case& it, const std::string& value) {
       it.seen.found.gid = 100, it.seen.group = value, it.seen.wanted_group = "root";
     }},
    {"a file", type(file_type::regular)},
    {"a directory", type(file_type::directory)},
    {"a symlink", type(file_type::symlink)},
    {"a FIFO", type(file_type::fifo)},
    {"a socket", type(file_type::socket)},
    {"a device", type(file_type::device)},
  };
}

template <class Case>
vocabulary<Case> entry_wanted() {
  return {
    {"the same", [](Case&, const std::string&) {}},
    {"mode ", [](Case& it, const std::string& value) { it.want.spec.mode = value; }},
    {"owner ", [](Case& it, const std::string& value) { it.want.spec.owner = value; }},
    {"group ", [](Case& it, const std::string& value) { it.want.spec.group = value; }},
    {"adopt", [](Case& it, const std::string&) { it.want.spec.adopt = true; }},
  };
}

TEST_CASE("file plan: the table in docs/reconcilers/file.md -> what the planner answers") {
  auto now = entry_now<file_case>();
  now["content "] = [](file_case& it, const std::string& value) {
    it.seen.found.sha256 = sha256_of(value);
  };
  now["empty"] = [](file_case& it, const std::string&) { it.seen.found.sha256 = sha256_of(""); };
  now["unreadable"] = [](file_case& it, const std::string&) { it.seen.found.sha256.clear(); };
  now["leftover "] = [](file_case& it, const std::string& value) { it.seen.leftover = value; };
  auto wanted = entry_wanted<file_case>();
  wanted["empty"] = [](file_case& it, const std::string&) { it.want.spec.content = ""; };
  wanted["base64 "] = [](file_case& it, const std::string& value) {
    it.want.spec.content.reset();
    it.want.spec.content_base64 = value;
  };
  wanted["download"] = [](file_case& it, const std::string&) {
    it.want.spec.content.reset();
    it.want.spec.source = remote_content{"https://example.org/motd", std::string(64, 'd')};
  };
  wanted["secret "] = [](file_case& it, const std::string& value) {
    it.want.spec.content.reset();
    it.want.spec.secret = secret_ref{secret_source::file, "key", secret_bytes{std::string{value}}};
    it.want.spec.mode = "0600";
  };
  wanted["unknown secret"] = [](file_case& it, const std::string&) {
    it.want.spec.content.reset();
    it.want.spec.secret = secret_ref{secret_source::file, "key"};
  };
  test::check_plans<file_case>("file", usual_file(), now, wanted,
                               [](const file_case& it) { return files::plan(it.want, it.seen); },
                               {{"sha256:" + sha256_of("a"), "a"},
                                {"sha256:" + sha256_of("b"), "b"},
                                {"sha256:" + sha256_of(""), "empty"},
                                {"sha256:" + std::string(64, 'd'), "download"}});
}

TEST_CASE("directory plan: the table in docs/reconcilers/directory.md -> the planner's answers") {
  test::check_plans<directory_case>(
    "directory", usual_directory(), entry_now<directory_case>(), entry_wanted<directory_case>(),
    [](const directory_case& it) { return directories::plan(it.want, it.seen); });
}

TEST_CASE("file plan: foreign file in the way -> message names path, fields and remedy") {
  auto it = usual_file();
  it.seen.owned = false;
  it.seen.found.mode = 0600;
  it.seen.found.gid = 100;
  it.seen.found.sha256 = sha256_of("b");
  const auto plan = files::plan(it.want, it.seen);
  REQUIRE_FALSE(plan.ok());
  CHECK(plan.error().message
        == "'/etc/motd' exists, is not this agent's and differs in content, mode and group: "
           "remove it, or set adopt: true");
}

TEST_CASE("from_errno: errno -> code, path, the system's words, remedy") {
  const std::vector<std::pair<int, ec>> table{
    {ENOSPC, ec::disk_full},        {EDQUOT, ec::disk_full}, {EACCES, ec::permission_denied},
    {EPERM, ec::permission_denied}, {EROFS, ec::read_only},  {EIO, ec::io_error},
    {ENAMETOOLONG, ec::io_error},   {EMFILE, ec::io_error},  {ELOOP, ec::io_error},
  };
  for (const auto& [error, code] : table)
    CHECK(from_errno(error, "write", "/etc/motd").code == code);
  CHECK(from_errno(ENOSPC, "write", "/etc/motd").message
        == "cannot write '/etc/motd': No space left on device: free space on its file system");
}

} // namespace
} // namespace harmony
