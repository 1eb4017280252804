// A change that has happened although its call says otherwise, as over a network's file system.

#include "integration/files/stepping_device.hpp"
#include "reconcilers/directory.hpp"
#include "reconcilers/file.hpp"
#include "support/catch.hpp"
#include "support/memory_inventory.hpp"
#include "support/temp_dir.hpp"

namespace harmony::test {

namespace {

class forgetful_files final : public stepping_files {
public:
  forgetful_files() : stepping_files([](const std::string&) {}) {}

  outcome<void> publish(const place& at, const temporary& file, bool may_replace) override {
    auto done = stepping_files::publish(at, file, may_replace);
    return done ? outcome<void>{ec::timed_out, "the answer was lost"} : done;
  }
  outcome<void> make_folder(const place& at) override {
    auto done = stepping_files::make_folder(at);
    return done ? outcome<void>{ec::timed_out, "the answer was lost"} : done;
  }
};

struct forgetful_device {
  forgetful_files& files() { return files_; }
  forgetful_files files_;
};

} // namespace

TEST_CASE("file: put in place although the answer was lost -> still the agent's, and collected") {
  const temp_dir site;
  memory_inventory owned;
  forgetful_device device;
  op_context ctx{"pi-0042", owned, {}};
  file_reconciler<forgetful_device> files{device};
  desired<file_spec> want{{"File", "page"}, {}, {}, {}};
  want.spec.path = (site / "page").string();
  want.spec.content = "1";
  CHECK_FALSE(files.apply(want, {{action::create, "content", {}, "x"}}, ctx));
  const auto record = owned.find(want.id, want.spec.path);
  REQUIRE(record);
  CHECK(files.remove(*record, ctx).ok());
  CHECK_FALSE(std::filesystem::exists(want.spec.path));
}

TEST_CASE("file: somebody else's came first -> the claim is given back") {
  const temp_dir site;
  memory_inventory owned;
  stepping_device device{[&](const std::string& step) {
    if (step == "publish")
      write_file(site / "page", "theirs");
  }};
  op_context ctx{"pi-0042", owned, {}};
  file_reconciler<stepping_device> files{device};
  desired<file_spec> want{{"File", "page"}, {}, {}, {}};
  want.spec.path = (site / "page").string();
  want.spec.content = "1";
  CHECK_FALSE(files.apply(want, {{action::create, "content", {}, "x"}}, ctx));
  CHECK(owned.all().empty());
  CHECK(read_file(site / "page") == "theirs");
}

TEST_CASE("directory: made although the answer was lost -> still the agent's") {
  const temp_dir site;
  memory_inventory owned;
  forgetful_device device;
  op_context ctx{"pi-0042", owned, {}};
  directory_reconciler<forgetful_device> directories{device};
  desired<directory_spec> want{{"Directory", "folder"}, {}, {}, {}};
  want.spec.path = (site / "folder").string();
  CHECK_FALSE(directories.apply(want, {{action::create, "mode", {}, "0755"}}, ctx));
  REQUIRE(owned.find(want.id, want.spec.path));
  CHECK(directories.apply(want, {{action::update, "mode", "0700", "0755"}}, ctx).ok());
}

} // namespace harmony::test
