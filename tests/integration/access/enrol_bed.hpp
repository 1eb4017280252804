#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "apps/ctl/printer.hpp"
#include "fleet_bed.hpp"
#include "identity/enrolment.hpp"

/// A fleet that lets new devices in by tokens.
namespace harmony::test {

class enrol_bed {
public:
  explicit enrol_bed(trust_mode mode) : fleet(mode), op(open_as(fleet.admin())) {}

  /// A token that the server knows; `more` goes to `enroll-token create`.
  std::string token(std::vector<std::string> more = {});
  /// The flags by which the operator says what the fleet is kept in.
  [[nodiscard]] std::vector<std::string> approve(const std::string& which,
                                                 std::vector<std::string> more = {}) const;
  /// Approves without looking, and has the server know.
  void let_in(const std::string& which, std::vector<std::string> more = {});
  /// Gives the server its configuration anew, where that is what it knows keys by.
  void tell_server();

  /// `harmonyctl enrolments`, and the field of the row of that device.
  ctl::json enrolments() const;
  std::string standing(const std::string& device) const;
  bool reaches(const std::string& device, const std::string& standing) const;

  /// How the holder of a token logs in.
  [[nodiscard]] store_options holder(const std::string& token) const;

  fleet_bed fleet;
  std::unique_ptr<store> op;
  std::string missing; ///< a right that the server's configuration is without
};

/// A device: a state folder, and `harmony-agent enroll` in it.
class new_device {
public:
  explicit new_device(std::string id = {}) : id_(std::move(id)) {}

  /// From its next start.
  void call_itself(std::string id) { id_ = std::move(id); }
  /// Starts to enrol; without an id the token must name one.
  void enrol(const std::string& token, const std::string& wait = "25s",
             const std::map<std::string, std::string>& environment = {});
  /// Waits until it has asked, and gives its fingerprint.
  std::string asked();
  run_result wait() { return process_->wait(); }
  /// SIGKILL, and waits for its end.
  void kill();
  [[nodiscard]] process& running() { return *process_; }

  [[nodiscard]] std::string state() const { return folder_.str(); }
  [[nodiscard]] std::string identity(const std::string& name) const {
    return (folder_ / "identity" / name).string();
  }
  /// The key in force.
  [[nodiscard]] nkey_pair key() const;
  /// Its log-in, as the agent would have it.
  [[nodiscard]] store_options login(const enrol_bed& at, const std::string& id) const;

private:
  temp_dir folder_;
  std::string id_;
  std::unique_ptr<process> process_;
};

} // namespace harmony::test
