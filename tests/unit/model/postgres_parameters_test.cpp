#include "model/postgres_parameters.hpp"

#include <fstream>
#include <set>
#include <sstream>

#include "support/catch.hpp"

namespace harmony {

namespace {

/// The words in backticks of the paragraph that says what is refused.
std::set<std::string> documented() {
  std::ifstream in{HARMONY_SOURCE_DIR "/docs/reconcilers/postgres-cluster.md"};
  std::stringstream text;
  text << in.rdbuf();
  const auto page = text.str();
  const auto from = page.find(": `", page.find("\nRefused in `parameters`"));
  REQUIRE(from != std::string::npos);
  std::istringstream list{page.substr(from, page.find(';', from) - from)};
  std::set<std::string> names;
  std::string name;
  while (std::getline(list, name, '`') && std::getline(list, name, '`'))
    names.insert(name);
  return names;
}

} // namespace

TEST_CASE(
  "parameters: the list in docs/reconcilers/postgres-cluster.md -> those that are refused") {
  std::set<std::string> all{std::string{reserved_prefix} + "*"};
  for (const auto name : reserved_parameters)
    all.insert(std::string{name});
  CHECK(documented() == all);
}

TEST_CASE("parameters: what commits wait for -> only what no failover loses") {
  CHECK(refusal_of_parameter("synchronous_commit", "on").empty());
  CHECK(refusal_of_parameter("synchronous_commit", "local").find("'local'") != std::string::npos);
  CHECK(refusal_of_parameter("recovery_target_lsn", "").find("take it out") != std::string::npos);
  CHECK(refusal_of_parameter("port", "1").find("'members'") != std::string::npos);
  CHECK(refusal_of_parameter("work_mem", "8MB").empty());
}

TEST_CASE("hba: a line for standbys -> over the network, of the word replication") {
  CHECK(lets_standbys_in("hostssl replication replicator 10.0.0.0/8 cert"));
  CHECK(lets_standbys_in("host\tapp,replication all all trust"));
  CHECK_FALSE(lets_standbys_in("local replication all peer"));
  CHECK_FALSE(lets_standbys_in("host all all all trust"));
  CHECK_FALSE(lets_standbys_in("host \"replication\" all all trust"));
  CHECK_FALSE(lets_standbys_in("# host replication all all trust"));
  CHECK_FALSE(lets_standbys_in(""));
}

} // namespace harmony
