#include "actors/status_key.hpp"

#include <utility>

#include "core/shorten.hpp"
#include "fault/fault.hpp"

namespace harmony {

namespace {

/// Whether the documents say the same; `b` gets the number of `a` to find out.
bool same_content(const std::optional<agent_status>& a, agent_status& b) {
  if (!a)
    return false;
  b.sequence = a->sequence;
  return *a == b;
}

} // namespace

void status_key::doubt_store() noexcept {
  doubted_ = true;
  refused_bytes_.reset();
}

outcome<void> status_key::look() {
  const auto entry = actual_.get(bucket::actual_state, agent_, timeout_);
  if (!entry)
    return entry.error();
  status_seen seen;
  marked_.clear();
  revision_ = *entry ? (*entry)->revision : 0;
  if (*entry) {
    seen.revision = revision_;
    const auto hash = sha256_hex((*entry)->value);
    seen.same_document = hash == written_hash_ || hash == tried_hash_;
    if (tried_ && hash == tried_hash_) // its answer was lost
      landed();
    if (auto there = read_status((*entry)->value); there && there->agent == agent_) {
      seen.boot_id = there->boot_id;
      seen.contender = there->contender;
      there->contender = claim_.own();
      marked_ = write_status(*there);
    }
  }
  due_ = claim_.look(seen);
  renumber_ = renumber_ || due_ == claim_act::write;
  doubted_ = false;
  return {};
}

/// What was tried last stands in the store as `revision_`.
void status_key::landed() {
  claim_.wrote(revision_);
  written_ = std::exchange(tried_, std::nullopt);
  written_hash_ = std::exchange(tried_hash_, {});
}

outcome<std::uint64_t> status_key::compare_and_set(const std::string& text) {
  HARMONY_FAULT("store.put.before");
  auto stored = actual_.put(bucket::actual_state, agent_, text, revision_, timeout_);
  HARMONY_FAULT("store.put.after");
  return stored;
}

outcome<bool> status_key::put(const std::string& text) {
  const auto stored = compare_and_set(text);
  if (stored) {
    revision_ = *stored;
    due_ = claim_act::none;
    return true;
  }
  if (stored.error().code != ec::conflict)
    return stored.error();
  doubted_ = true;
  return false;
}

bool status_key::current(agent_status& document) const {
  return !doubted_ && due_ != claim_act::mark
         && (claim_.yields() || (due_ == claim_act::none && same_content(written_, document)));
}

outcome<bool> status_key::write(agent_status& document, timestamp now) {
  if (due_ == claim_act::mark)
    return put(marked_);
  if (renumber_ || !same_content(tried_, document))
    ++sequence_;
  renumber_ = false;
  document.sequence = sequence_;
  tried_ = document;
  return put_own(document, now);
}

outcome<bool> status_key::put_own(const agent_status& document, timestamp now) {
  auto text = write_status(document);
  unsigned level = 0;
  while (refused_bytes_ && text.size() >= *refused_bytes_ && level < shortest)
    text = write_status(shortened(document, ++level, now));
  tried_hash_ = sha256_hex(text);
  auto done = put(text);
  if (done && *done) {
    landed();
  } else if (!done && done.error().code == ec::document_too_large && level < shortest) {
    refused_bytes_ = text.size();
    return false; // a shorter one
  }
  return done;
}

outcome<void> status_key::write_facts(const std::string& text) {
  if (text.empty())
    return {};
  const auto there = actual_.get(bucket::device_info, agent_, timeout_);
  if (!there)
    return there.error();
  if (*there && (*there)->value == text)
    return {};
  const auto put =
    actual_.put(bucket::device_info, agent_, text, *there ? (*there)->revision : 0, timeout_);
  return put ? outcome<void>{} : outcome<void>{put.error()};
}

} // namespace harmony
