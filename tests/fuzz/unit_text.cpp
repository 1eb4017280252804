// The content of a unit, as the policy reads it.

#include "core/unit_text.hpp"
#include "core/policy.hpp"
#include "fuzz.hpp"

namespace harmony::fuzz {

void take(std::string_view bytes) {
  for (const auto& each : read_unit_text(bytes))
    require(each.key.find_first_of("\n\r") == std::string::npos, "an assignment is of one line");
  resource r;
  r.id = {"SystemdUnit", "u"};
  systemd_unit_spec spec;
  spec.unit = "app.service";
  spec.content = bytes;
  r.spec = spec;
  device_policy p;
  p.users = policy_list{1, {"app"}};
  p.capabilities = policy_list{2, {}};
  if (const auto no = check(p, {}, r))
    require(!explain(p, *no).message.empty(), "a refusal is told");
}

} // namespace harmony::fuzz
