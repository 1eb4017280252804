#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace harmony::fault {

using std::literals::operator""sv;

/// Every fault point. The kill matrix is made from this list, and fails for one that it cannot
/// reach. An effect has two, what only looks has one.
inline constexpr std::array points{
  // The state database.
  "state.commit.before"sv,
  "state.commit.within"sv,
  "state.commit.after"sv,
  // Files and folders, and the temporary ones behind them.
  "files.inspect"sv,
  "files.temporary.before"sv,
  "files.temporary.after"sv,
  "files.write.before"sv,
  "files.write.after"sv,
  "files.owner.before"sv,
  "files.owner.after"sv,
  "files.mode.before"sv,
  "files.mode.after"sv,
  "files.sync.before"sv,
  "files.sync.after"sv,
  "files.publish.before"sv,
  "files.publish.after"sv,
  "files.sync-folder.before"sv,
  "files.sync-folder.after"sv,
  "files.discard.before"sv,
  "files.discard.after"sv,
  "files.amend.before"sv,
  "files.amend.after"sv,
  "files.remove.before"sv,
  "files.remove.after"sv,
  "files.make-folder.before"sv,
  "files.make-folder.after"sv,
  "files.remove-folder.before"sv,
  "files.remove-folder.after"sv,
  // Remote content, and where it waits for the change that needs it.
  "download.fetch.before"sv,
  "download.fetch.after"sv,
  "cache.empty.before"sv,
  "cache.empty.after"sv,
  "cache.create.before"sv,
  "cache.create.after"sv,
  "cache.write.before"sv,
  "cache.write.after"sv,
  "cache.publish.before"sv,
  "cache.publish.after"sv,
  "cache.read"sv,
  "cache.drop.before"sv,
  "cache.drop.after"sv,
  // Unit files, and what sets up a link at boot.
  "unit-file.write.before"sv,
  "unit-file.write.after"sv,
  "unit-file.rename.before"sv,
  "unit-file.rename.after"sv,
  "unit-file.remove.before"sv,
  "unit-file.remove.after"sv,
  "unit-file.sync.before"sv,
  "unit-file.sync.after"sv,
  // The service manager, over D-Bus.
  "systemd.look"sv,
  "systemd.list"sv,
  "systemd.job.before"sv,
  "systemd.job.after"sv,
  "systemd.enable.before"sv,
  "systemd.enable.after"sv,
  "systemd.disable.before"sv,
  "systemd.disable.after"sv,
  "systemd.reload.before"sv,
  "systemd.reload.after"sv,
  "systemd.reset.before"sv,
  "systemd.reset.after"sv,
  "systemd.transient.before"sv,
  "systemd.transient.after"sv,
  "systemd.transient.look"sv,
  // podman, over REST.
  "podman.inspect"sv,
  "podman.image"sv,
  "podman.list"sv,
  "podman.pull.before"sv,
  "podman.pull.after"sv,
  "podman.create.before"sv,
  "podman.create.after"sv,
  "podman.start.before"sv,
  "podman.start.after"sv,
  "podman.stop.before"sv,
  "podman.stop.after"sv,
  "podman.remove.before"sv,
  "podman.remove.after"sv,
  // Programs that are run: useradd, apt-get.
  "process.run.before"sv,
  "process.run.within"sv,
  "process.run.after"sv,
  // The package manager.
  "package.look"sv,
  "package.refresh.before"sv,
  "package.refresh.after"sv,
  "package.install.before"sv,
  "package.install.after"sv,
  "package.finish.before"sv,
  "package.finish.after"sv,
  "package.remove.before"sv,
  "package.remove.after"sv,
  // The kernel's network, over netlink.
  "network.look"sv,
  "network.make-link.before"sv,
  "network.make-link.after"sv,
  "network.delete-link.before"sv,
  "network.delete-link.after"sv,
  "network.set-link.before"sv,
  "network.set-link.after"sv,
  "network.add-address.before"sv,
  "network.add-address.after"sv,
  "network.remove-address.before"sv,
  "network.remove-address.after"sv,
  "network.add-route.before"sv,
  "network.add-route.after"sv,
  "network.remove-route.before"sv,
  "network.remove-route.after"sv,
  "network.ask"sv,
  // The store.
  "store.read"sv,
  "store.put.before"sv,
  "store.put.after"sv,
  "store.beat"sv,
  // The same in a folder.
  "directory.write.before"sv,
  "directory.write.within"sv,
  "directory.write.after"sv,
  // The same in a NATS server.
  "nats.get"sv,
  "nats.subscribe.before"sv,
  "nats.subscribe.after"sv,
  "nats.put.before"sv,
  "nats.put.after"sv,
  "nats.publish.before"sv,
  "nats.publish.after"sv,
  // The agent's own files beside the database; the first are its keys and what an enrolment brings.
  "own-file.write.before"sv,
  "own-file.write.within"sv,
  "own-file.write.after"sv,
  "status.keep.before"sv,
  "status.keep.after"sv,
  "audit.append.before"sv,
  "audit.append.within"sv,
  "audit.append.after"sv,
  "audit.rotate.before"sv,
  "audit.rotate.after"sv,
};

/// Where `name` stands in `points`; does not compile for any other name.
constexpr std::size_t index_of(std::string_view name) {
  const auto at = std::find(points.begin(), points.end(), name);
  if (at == points.end())
    throw "not a fault point"; // NOLINT(hicpp-exception-baseclass): only to stop the compiler
  return static_cast<std::size_t>(at - points.begin());
}

} // namespace harmony::fault
