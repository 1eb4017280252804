// The command line of the commands about failover clusters.
#include "apps/ctl/cli_parts.hpp"

namespace harmony::ctl {

namespace {

void add_name(CLI::App& to, const std::string& name, std::string& into, const std::string& help,
              const std::string& wanted, const std::string& type) {
  auto* option = to.add_option_function<std::string>(
    name,
    [name, wanted, &into](const std::string& text) {
      if (!is_name(text))
        refuse(name, text, wanted);
      into = text;
    },
    help);
  option->type_name(type);
  if (name.front() != '-')
    option->required();
}

template <class Options>
std::pair<CLI::App*, std::shared_ptr<Options>> add_cluster_command(declaration& d, CLI::App& to,
                                                                   const std::string& name,
                                                                   const std::string& help) {
  auto added = add_command<Options>(to, d.result, name, help);
  add_name(*added.first, "cluster", added.second->cluster, "The cluster",
           "the name of a cluster: lower-case letters, digits and inner hyphens", "CLUSTER");
  return added;
}

std::pair<CLI::App*, std::shared_ptr<failover_order_options>>
add_order(declaration& d, CLI::App& to, failover::command_kind kind, const std::string& name,
          const std::string& help, const std::string& until) {
  auto added = add_cluster_command<failover_order_options>(d, to, name, help);
  added.second->kind = kind;
  added.first
    ->add_option_function<std::string>(
      "--wait",
      [into = added.second](const std::string& text) {
        into->wait = duration_of("--wait", text.empty() ? "30s" : text);
      },
      "Wait until " + until + ", at most so long [30s]; an order that nobody took is taken back")
    ->expected(0, 1)
    ->type_name("[DURATION]");
  return added;
}

} // namespace

void declare_failover(declaration& d) {
  using failover::command_kind;
  auto* failover = d.app.add_subcommand("failover", "PostgreSQL clusters: who is the primary");
  failover->require_subcommand(1)->fallthrough();
  add_command<failover_list_options>(*failover, d.result, "list", "List the clusters");
  add_cluster_command<failover_status_options>(d, *failover, "status",
                                               "Show the lease and each member");
  add_cluster_command<failover_history_options>(d, *failover, "history",
                                                "List how the lease changed hands");

  const auto member = [](CLI::App& to, failover_order_options& o, const std::string& help) {
    add_name(to, "--to", o.to, help, "the name of a member", "MEMBER");
  };
  const auto [over, over_values] =
    add_order(d, *failover, command_kind::switchover, "switchover",
              "Have the primary hand over in order", "another member is the primary");
  member(*over, *over_values, "Who takes over [the best]");

  const auto [fail, fail_values] =
    add_order(d, *failover, command_kind::failover, "failover",
              "Have a member take over although commits may be missing there", "it is the primary");
  member(*fail, *fail_values, "Who takes over");
  fail->get_option("--to")->required();
  fail
    ->add_flag("--allow-data-loss", fail_values->allow_data_loss,
               "Go over the refusals that keep acknowledged commits")
    ->required();
  fail->add_flag("-y,--yes", fail_values->yes, "Do not ask");

  add_order(d, *failover, command_kind::pause, "pause",
            "Let nobody take over, whatever becomes of the primary", "it is paused");
  add_order(d, *failover, command_kind::resume, "resume", "End a pause", "it is over");

  const auto [reinit, reinit_values] =
    add_order(d, *failover, command_kind::reinit, "reinit",
              "Have a member set its data aside and clone them anew from the primary",
              "it is a standby again");
  add_name(*reinit, "member", reinit_values->to, "Whose data", "the name of a member", "MEMBER");
  reinit->add_flag("--allow-data-loss", reinit_values->allow_data_loss,
                   "Also where nobody else could take over without loss meanwhile");
  reinit->add_flag("-y,--yes", reinit_values->yes, "Do not ask");

  const auto [init, init_values] = add_cluster_command<failover_init_options>(
    d, *failover, "init", "Make a cluster's streams where they are missing");
  init->add_option("--replicas", init_values->replicas, "On how many servers: 1 or 3 [1]")
    ->check(CLI::IsMember({1, 3}))
    ->type_name("1|3");
}

} // namespace harmony::ctl
