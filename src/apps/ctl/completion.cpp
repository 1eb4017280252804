#include "apps/ctl/completion.hpp"

#include <algorithm>
#include <map>

#include "apps/ctl/cli.hpp"

namespace harmony::ctl {

namespace {

const std::vector<std::string> no_words;

const flag_model* find_flag(const command_model& command, std::string_view name) {
  for (const auto& f : command.flags)
    if (std::find(f.names.begin(), f.names.end(), name) != f.names.end())
      return &f;
  return nullptr;
}

/// The values of options and arguments that are known beforehand.
const std::vector<std::string>& known_values(const std::string& of) {
  static const std::map<std::string, std::vector<std::string>> values{
    {"--output", {"table", "json", "yaml"}},
    {"--for", {"converged", "generation=", "phase=Converged", "phase=Degraded", "phase=Rejected"}},
    {"--store", {"dir:/", "nats://", "tls://"}},
    {"schema", {"manifest", "status"}},
    {"completion", {"bash", "zsh", "fish"}},
  };
  const auto found = values.find(of);
  return found == values.end() ? no_words : found->second;
}

/// Whether the first argument of this command is an agent.
bool takes_agent(const std::string& command) {
  static const std::vector<std::string> those{
    "resources", "manifest",    "agent",  "wait",   "watch",   "delete", "resource", "explain",
    "history",   "rollback",    "ping",   "resync", "restart", "hold",   "unhold",   "logs",
    "check",     "credentials", "revoke", "seal",   "approve", "deny"};
  return std::find(those.begin(), those.end(), command) != those.end();
}

/// How the words before the last one are understood.
struct reading_of_line {
  const command_model* command = nullptr;
  const flag_model* waiting = nullptr; ///< an option whose value comes next
  std::size_t arguments = 0;           ///< of the command, so far
  bool of_clusters = false;            ///< the command is about clusters, not agents
  std::string store;
};

reading_of_line read_line(const command_model& root, const std::vector<std::string>& words) {
  reading_of_line line;
  line.command = &root;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const auto& word = words[i];
    if (line.waiting != nullptr) {
      if (line.waiting->names.front() == "--store")
        line.store = word;
      line.waiting = nullptr;
      continue;
    }
    if (word.size() > 1 && word.front() == '-') {
      const auto name = word.substr(0, word.find('='));
      const auto* flag = find_flag(*line.command, name);
      if (flag == nullptr)
        flag = find_flag(root, name);
      if (flag != nullptr && flag->takes_value && name.size() == word.size())
        line.waiting = flag;
      else if (name == "--store")
        line.store = word.substr(name.size() + 1);
      continue;
    }
    if (const auto* next = line.command->find(word); next != nullptr && line.arguments == 0) {
      line.of_clusters |= line.command == &root && word == "failover";
      line.command = next;
    } else {
      ++line.arguments;
    }
  }
  return line;
}

} // namespace

completion complete(const std::vector<std::string>& words) {
  static const auto root = command_line();
  completion result;
  if (words.empty())
    return result;
  result.prefix = words.back();
  const auto line = read_line(root, words);
  result.store = line.store;
  const auto offer = [&](const std::vector<std::string>& values) {
    for (const auto& v : values)
      if (v.rfind(result.prefix, 0) == 0)
        result.candidates.push_back(v);
  };
  const auto& command = *line.command;
  if (line.waiting != nullptr) {
    offer(known_values(line.waiting->names.front()));
    result.agents = line.waiting->names.front() == "--agent";
    return result;
  }
  if (!result.prefix.empty() && result.prefix.front() == '-') {
    const auto equals = result.prefix.find('=');
    if (equals != std::string::npos) {
      const auto name = result.prefix.substr(0, equals + 1);
      for (const auto& v : known_values(result.prefix.substr(0, equals)))
        offer({name + v});
      return result;
    }
    for (const auto* from : {&command, &root})
      for (const auto& flag : from->flags)
        for (const auto& name : flag.names)
          if (name.size() > 2
              && std::find(result.candidates.begin(), result.candidates.end(), name)
                   == result.candidates.end())
            offer({name});
    return result;
  }
  for (const auto& sub : command.commands)
    offer({sub.name});
  if (line.arguments == 0) {
    offer(known_values(command.name));
    result.agents = !line.of_clusters && takes_agent(command.name);
  } else if (line.arguments == 1 && (command.name == "resource" || command.name == "explain")) {
    offer({"File/", "Directory/", "SystemdUnit/", "Container/"});
  }
  return result;
}

namespace {

constexpr std::string_view bash_script =
  R"(# bash completion of harmonyctl; load it with: source <(harmonyctl completion bash)
_harmonyctl() {
  local cur words cword
  # "=" and ":" belong to words here (--store=dir:/…), so the line is split anew.
  if declare -F _get_comp_words_by_ref >/dev/null; then
    _get_comp_words_by_ref -n =: cur words cword
  else
    cur=${COMP_WORDS[COMP_CWORD]} words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
  fi
  local IFS=$'\n'
  COMPREPLY=($("${words[0]}" __complete -- "${words[@]:1:cword}" 2>/dev/null))
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/] ]] && compopt -o nospace
  declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$cur"
  return 0
}
complete -o default -F _harmonyctl harmonyctl
)";

constexpr std::string_view zsh_script = R"(#compdef harmonyctl
# zsh completion of harmonyctl; load it with: source <(harmonyctl completion zsh)
_harmonyctl() {
  local -a candidates
  candidates=("${(@f)$("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  candidates=("${(@)candidates:#}")
  if (( ${#candidates} )); then
    compadd -Q -- "${candidates[@]}"
  else
    _files
  fi
}
compdef _harmonyctl harmonyctl
)";

constexpr std::string_view fish_script =
  R"(# fish completion of harmonyctl; load it with: harmonyctl completion fish | source
function __harmonyctl_complete
    set -l words (commandline -opc) (commandline -ct)
    $words[1] __complete -- $words[2..-1] 2>/dev/null
end
complete -c harmonyctl -a '(__harmonyctl_complete)'
)";

} // namespace

std::string completion_script(std::string_view shell) {
  if (shell == "zsh")
    return std::string{zsh_script};
  if (shell == "fish")
    return std::string{fish_script};
  return std::string{bash_script};
}

} // namespace harmony::ctl
