#include "apps/agent/sealing_key.hpp"

#include <ostream>

#include "state/state_folder.hpp"
#include "topology/device_secrets.hpp"

namespace harmony {

int show_sealing_key(const key_request& what, std::ostream& out, std::ostream& err) {
  const auto fail = [&](const failure& why) {
    err << "harmony-agent: " << why.message << "\n";
    return 1;
  };
  bool open_to_others = false; // which the agent says when it starts
  if (auto made = make_folder(what.state_dir, open_to_others); !made)
    return fail(made.error());
  device_secrets secrets{{{}, {}, what.state_dir + "/" + sealing_key_file}};
  const auto key = secrets.sealing_key_of_device();
  if (!key)
    return fail(key.error());
  out << write_sealing_public(*key) << "\n";
  err << "fingerprint: " << fingerprint_of(*key) << "\n";
  return 0;
}

} // namespace harmony
