#pragma once

#include <string>

#include "apps/ctl/documents.hpp"
#include "apps/ctl/environment.hpp"
#include "apps/ctl/exit_code.hpp"
#include "apps/ctl/options.hpp"
#include "apps/ctl/session.hpp"
#include "model/commands.hpp"

namespace harmony::ctl {

/// What each command gets: the global options, the surroundings, the time left.
struct context {
  const global_options& global;
  environment& env;
  budget time;

  [[nodiscard]] bool colour() const {
    return env.out_is_terminal && !global.no_color && global.format == output_format::table;
  }
  [[nodiscard]] bool as_table() const { return global.format == output_format::table; }
  void print(const std::string& text) const;
  void print_value(const json& value) const;

  /// Says `error: …` on stderr and gives the exit code of the failure.
  [[nodiscard]] exit_code fail(const failure& why) const;
  [[nodiscard]] exit_code fail(exit_code code, const std::string& message) const;

  [[nodiscard]] outcome<std::shared_ptr<store>> connected() const {
    return connect(global, env, time);
  }
};

exit_code run(const context& c, const init_options& o);
exit_code run(const context& c, const plan_options& o);
exit_code run(const context& c, const apply_options& o);
exit_code run(const context& c, const history_options& o);
exit_code run(const context& c, const rollback_options& o);
exit_code run(const context& c, const get_options& o);
exit_code run(const context& c, const describe_options& o);
exit_code run(const context& c, const explain_options& o);
exit_code run(const context& c, const wait_options& o);
exit_code run(const context& c, const watch_options& o);
exit_code run(const context& c, const check_options& o);
exit_code run(const context& c, const ping_options& o);
exit_code run(const context& c, const resync_options& o);
exit_code run(const context& c, const restart_options& o);
exit_code run(const context& c, const hold_options& o);
exit_code run(const context& c, const unhold_options& o);
exit_code run(const context& c, const logs_options& o);
exit_code run(const context& c, const delete_options& o);
exit_code run(const context& c, const server_config_options& o);
exit_code run(const context& c, const nkey_options& o);
exit_code run(const context& c, const credentials_options& o);
exit_code run(const context& c, const revoke_options& o);
exit_code run(const context& c, const token_create_options& o);
exit_code run(const context& c, const token_list_options& o);
exit_code run(const context& c, const token_revoke_options& o);
exit_code run(const context& c, const enrolments_options& o);
exit_code run(const context& c, const approve_options& o);
exit_code run(const context& c, const deny_options& o);
exit_code run(const context& c, const failover_list_options& o);
exit_code run(const context& c, const failover_status_options& o);
exit_code run(const context& c, const failover_history_options& o);
exit_code run(const context& c, const failover_init_options& o);
exit_code run(const context& c, const failover_order_options& o);
exit_code run(const context& c, const seal_options& o);
exit_code run(const context& c, const schema_options& o);
exit_code run(const context& c, const validate_options& o);
exit_code run(const context& c, const version_options& o);
exit_code run(const context& c, const completion_options& o);
exit_code run(const context& c, const complete_options& o);
exit_code run(const context& c, const key_generate_options& o);
exit_code run(const context& c, const key_list_options& o);
exit_code run(const context& c, const key_show_options& o);
exit_code run(const context& c, const sign_options& o);
exit_code run(const context& c, const verify_options& o);

/// Asks `agent` for something, and gives what it answers.
template <class Result>
outcome<Result> ask(store& link, const std::string& agent, command_verb verb,
                    const std::string& request, milliseconds timeout) {
  const auto answer = link.request(agent, name_of(verb), request, timeout);
  if (!answer)
    return answer.error();
  return read_answer<Result>(*answer);
}

/// Publishes manifests, prints what became of each, and waits where that was asked for.
struct publish_all_options {
  bool force = false;
  bool dry_run = false;
  std::optional<milliseconds> wait;
  std::vector<std::string> keys; ///< files of those that sign
};
exit_code publish_all(const context& c, store& to, const std::vector<loaded_manifest>& manifests,
                      const publish_all_options& how);

/// Says that `agent` has no such resource.
[[nodiscard]] exit_code no_such_resource(const context& c, const std::string& agent,
                                         const resource_id& id);

/// Asks on the terminal; true for yes.
bool confirmed(const context& c, const std::string& question);

/// All about `agent`; fails with not_found where the store knows nothing of it.
outcome<agent_record> read_known(const context& c, store& from, const std::string& agent);

/// Reads the manifests of a command line. Says every fault on stderr and gives the exit code when
/// there is one.
struct loaded {
  std::vector<loaded_manifest> manifests;
  exit_code code = exit_code::ok;
};
loaded load(const context& c, const std::vector<std::string>& files, const std::string& agent);

} // namespace harmony::ctl
