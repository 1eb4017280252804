#include "apps/agent/audit_parser.hpp"

#include <CLI/CLI.hpp>

namespace harmony {

audit_parser::audit_parser(CLI::App& app) {
  auto* audit = app.add_subcommand("audit", "Look at the record of what was done on this device");
  audit->require_subcommand(1);
  audit->fallthrough();
  verify_ = audit->add_subcommand("verify", "Say whether the log is as it was written");
  verify_->add_option("--anchor", anchor_, "A head that verify printed before: it must be there")
    ->type_name("SEQ:HASH");
  show_ = audit->add_subcommand("show", "Print its newest records");
  show_->add_option("-n", given_.lines, "So many of them; 0: all [20]")->type_name("COUNT");
  for (auto* each : {verify_, show_}) {
    each->fallthrough();
    each->add_option("--file", given_.file, "Another log, such as a copy [the agent's own]")
      ->type_name("FILE");
    each->add_option("-o,--output", output_, "table or json [table]")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"table", "json"}));
  }
}

outcome<std::optional<audit_request>> audit_parser::request() const {
  if (!verify_->parsed() && !show_->parsed())
    return std::optional<audit_request>{};
  auto asked = given_;
  asked.what = verify_->parsed() ? audit_request::action::verify : audit_request::action::show;
  asked.as_json = output_ == "json";
  if (!anchor_.empty()) {
    const auto mark = read_audit_mark(anchor_);
    if (!mark)
      return failure{ec::invalid_spec,
                     "--anchor: expected SEQUENCE:HASH, as 'audit verify' prints its head, got '"
                       + anchor_ + "'"};
    asked.anchor = *mark;
  }
  return std::optional{std::move(asked)};
}

} // namespace harmony
