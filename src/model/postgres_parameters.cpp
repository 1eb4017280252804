#include "model/postgres_parameters.hpp"

#include <algorithm>
#include <sstream>

namespace harmony {

namespace {

bool among(const auto& all, std::string_view one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

} // namespace

std::string refusal_of_parameter(std::string_view name, std::string_view value) {
  if (among(reserved_parameters, name)
      || name.compare(0, reserved_prefix.size(), reserved_prefix) == 0)
    return std::string{"is the failover protocol's to set; "}
           + (name == "port" ? "give it to this member in 'members'" : "take it out");
  if (name == "synchronous_commit" && !among(safe_commits, value))
    return "must be 'on' or 'remote_apply': with '" + std::string{value}
           + "' commits are acknowledged that a failover can lose";
  return {};
}

bool lets_standbys_in(std::string_view hba_line) {
  std::istringstream words{std::string{hba_line}};
  std::string type;
  std::string databases;
  if (!(words >> type >> databases) || type.rfind("host", 0) != 0)
    return false;
  std::istringstream list{databases};
  for (std::string one; std::getline(list, one, ',');)
    if (one == "replication") // quoted it is a database of that name
      return true;
  return false;
}

} // namespace harmony
