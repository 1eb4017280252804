#pragma once

#include <string>
#include <string_view>

#include "transport/nats_link.hpp"
#include "transport/store.hpp"

/// Names of the streams and subjects, and how the streams are made.
namespace harmony::nats {

inline constexpr const char* beat_stream = "heartbeats";
inline constexpr std::string_view beat_prefix = "hb.";
inline constexpr std::string_view command_prefix = "cmd.";
inline constexpr std::string_view direct_get = "$JS.API.DIRECT.GET.";

std::string stream_of(bucket b);         ///< "KV_desired-state"
std::string subject_prefix_of(bucket b); ///< "$KV.desired-state."
std::string hint_prefix_of(bucket b);    ///< "desired-evt."

/// The newest message on a subject.
struct stored_message {
  std::string value;
  std::uint64_t sequence = 0;
  std::chrono::system_clock::time_point written;
  bool deletion = false;
};

/// Reads the newest message on `subject` of `stream`; nothing where there is none. Fails with
/// bucket_not_found where the stream is missing.
outcome<std::optional<stored_message>> newest_on(const session& made, const std::string& stream,
                                                 const std::string& subject, link::deadline until);

/// The messages on `subject` that the stream still has, newest first, deletions left out.
outcome<std::vector<store_entry>> history_on(const session& made, const std::string& stream,
                                             const std::string& subject, link::deadline until);

/// The message that the library got from a stream.
stored_message message_of(natsMsg* raw);

/// Makes a stream where there is none of that name; leaves an existing one as it is.
outcome<void> make_stream(const session& made, jsStreamConfig& config, link::deadline until);

/// What every client of KV buckets expects of one; whoever asks fills in name and subjects.
jsStreamConfig bucket_config();

/// Makes the streams that are missing: a KV bucket each, and one in memory for heartbeats.
outcome<void> make_streams(const session& made, link::deadline until);

/// The keys of a bucket that are not deleted, sorted.
outcome<std::vector<std::string>> list_keys(const session& made, bucket b, link::deadline until);

/// Milliseconds until then, at least 1: the library takes 0 for "for ever".
std::int64_t left_until(link::deadline until);

} // namespace harmony::nats
