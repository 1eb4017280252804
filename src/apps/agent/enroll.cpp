#include "apps/agent/enroll.hpp"

#include <ostream>

#include "apps/agent/enrolment_run.hpp"
#include "identity/login.hpp"

namespace harmony {

int run_enroll(const enroll_request& what, std::istream& in, std::ostream& out, std::ostream& err) {
  if (!what.token.empty())
    return enroll_by_token(what, in, out, err);
  if (what.key_file.empty()) {
    err << "harmony-agent: enroll: where the key lies is not configured; set 'store-nkey' in "
           "agent.toml, e.g. to \"/etc/harmony-agent/device.nk\", or enroll with a --token\n";
    return 2;
  }
  const auto key = load_or_make_key(what.key_file, nkey_kind::user);
  if (!key) {
    err << "harmony-agent: enroll: " << key.error().message << "\n";
    return 1;
  }
  out << what.agent_id << " " << key->public_key() << "\n";
  return 0;
}

} // namespace harmony
