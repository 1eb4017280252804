#include "topology/systemd_error.hpp"

#include <map>
#include <string_view>

namespace harmony {

namespace {

std::string_view remedy_of(ec code) {
  switch (code) {
  case ec::permission_denied:
    return "; run the agent as root, or with --systemd user, or allow it by a polkit rule";
  case ec::unit_masked: return "; unmask it with 'systemctl unmask'";
  default: return "";
  }
}

} // namespace

ec code_of(const bus_error& e) {
  static const std::map<std::string_view, ec> codes{
    {"org.freedesktop.systemd1.NoSuchUnit", ec::unit_not_found},
    {"org.freedesktop.DBus.Error.FileNotFound", ec::unit_not_found},
    {"org.freedesktop.systemd1.UnitMasked", ec::unit_masked},
    {"org.freedesktop.systemd1.BadUnitSetting", ec::unit_invalid},
    {"org.freedesktop.systemd1.LoadFailed", ec::unit_invalid},
    {"org.freedesktop.systemd1.UnitGenerated", ec::unit_invalid},
    {"org.freedesktop.systemd1.JobTypeNotApplicable", ec::unit_invalid},
    {"org.freedesktop.systemd1.OnlyByDependency", ec::unit_invalid},
    {"org.freedesktop.systemd1.TransactionOrderIsCyclic", ec::unit_invalid},
    {"org.freedesktop.DBus.Error.InvalidArgs", ec::unit_invalid},
    {"System.Error.EBADMSG", ec::unit_invalid},
    {"System.Error.EXDEV", ec::unit_invalid},
    {"org.freedesktop.DBus.Error.FileExists", ec::name_conflict},
    {"org.freedesktop.systemd1.UnitExists", ec::name_conflict},
    {"org.freedesktop.DBus.Error.PropertyReadOnly", ec::unit_invalid},
    {"org.freedesktop.DBus.Error.AccessDenied", ec::permission_denied},
    {"org.freedesktop.DBus.Error.AuthFailed", ec::permission_denied},
    {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", ec::permission_denied},
    {"org.freedesktop.systemd1.DiskFull", ec::disk_full},
    {"System.Error.ENOSPC", ec::disk_full},
    {"System.Error.EROFS", ec::read_only},
    {"System.Error.EIO", ec::io_error},
  };
  const auto found = codes.find(e.name);
  return found == codes.end() ? ec::runtime_unavailable : found->second;
}

failure from_bus(const std::string& what, const bus_error& e) {
  const auto code = code_of(e);
  return {code,
          what + ": " + (e.message.empty() ? e.name : e.message) + std::string{remedy_of(code)}};
}

} // namespace harmony
