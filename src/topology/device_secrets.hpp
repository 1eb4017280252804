#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "topology/secrets.hpp"
#include "trust/sealing.hpp"

namespace harmony {

/// Its name in the state folder.
inline constexpr auto sealing_key_file = "sealing.key";

struct device_secrets_config {
  std::string folder;      ///< of secret files
  std::string credentials; ///< what systemd made of the service's credentials; empty: it has none
  std::string key_file;    ///< of the sealing key
};

/// The secrets of this device: files of one folder, credentials of the agent's service, and what
/// was sealed to the device's key.
///
/// A name is looked up in its folder and nowhere else: it is no path, and a link is not followed.
/// So a manifest can have what was put there for manifests, and no other file of the device.
class device_secrets final : public secret_port {
public:
  explicit device_secrets(device_secrets_config config) : config_(std::move(config)) {}

  outcome<secret_bytes> read(const secret_ref& ref, const resource_id& user) override;
  outcome<std::string> mark(std::string_view value) override;
  std::string stamp(const secret_ref& ref) override;

  /// The public half of the sealing key, which is made where there is none. Fails with
  /// secret_unavailable.
  outcome<sealing_public> sealing_key_of_device();

private:
  outcome<const sealing_key*> key();
  [[nodiscard]] std::string path_of(const secret_ref& ref) const;

  device_secrets_config config_;
  std::mutex mutex_;
  std::optional<sealing_key> key_; ///< guarded by mutex_ until it is there, then never changed
};

} // namespace harmony
