#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transport/nats_buckets.hpp"
#include "transport/nats_link.hpp"

/// The streams of a failover cluster: names, how they are made, read and written.
namespace harmony::nats {

/// The one key of the lease's stream, and the kinds of keys in the cluster's bucket.
inline constexpr std::string_view lease_key = "lease";
inline constexpr std::string_view member_beat_prefix = "hb.";
inline constexpr std::string_view cluster_history_prefix = "history.";
inline constexpr std::string_view cluster_command_prefix = "cmd.";

std::string lease_stream_of(std::string_view cluster);        ///< "KV_PGHA_LEASE_orders"
std::string lease_subject_of(std::string_view cluster);       ///< "$KV.PGHA_LEASE_orders.lease"
std::string cluster_stream_of(std::string_view cluster);      ///< "KV_PGHA_orders"
std::string cluster_prefix_of(std::string_view cluster);      ///< "$KV.PGHA_orders."
std::string cluster_hint_prefix_of(std::string_view cluster); ///< "pgha-evt.orders."

/// What the account of the devices calls "$JS.API" of these streams: under that name the server
/// itself answers there too, and first, that the account has no JetStream. Where nobody answers
/// under this one, the other is asked.
inline constexpr const char* cluster_api = "pgha-api";
inline constexpr const char* stream_api = "$JS.API";
inline constexpr std::string_view stream_info = ".STREAM.INFO.";
inline constexpr std::string_view leader_get = ".STREAM.MSG.GET.";

/// Fails with invalid_spec for what is no name of a cluster.
outcome<void> check_cluster(std::string_view cluster);

/// The newest message on `subject`, as the stream's leader has it; nothing where there never was
/// one. Fails with bucket_not_found where the stream is missing.
outcome<std::optional<stored_message>> leader_read(const session& made, const std::string& stream,
                                                   const std::string& subject,
                                                   link::deadline until);

/// A write that counts only where nobody wrote since.
struct conditional_write {
  std::string stream, subject, value;
  std::uint64_t expected = 0; ///< the subject's last sequence; 0: none
  bool only_key = false;      ///< of its stream, whose last sequence is expected too
  bool deletion = false;      ///< leaves a mark and no value
};

/// Gives the new sequence. One attempt: fails with conflict only where the stream says that the
/// sequence is wrong, so that this attempt will never count; after any other failure it may have
/// been, or may yet be, applied.
outcome<std::uint64_t> write_if(const session& made, const conditional_write& what,
                                link::deadline until);

/// The keys of the cluster's bucket that begin with `prefix`, deleted ones too, sorted.
outcome<std::vector<std::string>> cluster_keys(const session& made, std::string_view cluster,
                                               std::string_view prefix, link::deadline until);

struct lease_place {
  std::string leader; ///< of the lease's stream; empty where there is one server alone
  std::string unsafe; ///< why no lease is safe in it; empty: it is
};
outcome<lease_place> lease_place_of(const session& made, std::string_view cluster,
                                    link::deadline until);

/// Makes the streams of a cluster where they are missing. Fails with conflict where the lease's is
/// there and could lose or expire what is in it.
outcome<void> make_cluster_streams(const session& made, std::string_view cluster, int replicas,
                                   link::deadline until);

/// The clusters that have a lease's stream, sorted.
outcome<std::vector<std::string>> list_clusters(const session& made, link::deadline until);

} // namespace harmony::nats
