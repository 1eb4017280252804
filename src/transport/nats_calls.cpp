#include "fault/fault.hpp"
#include "transport/nats_errors.hpp"
#include "transport/nats_link.hpp"

namespace harmony::nats {

void pending_call::refuse(failure why) {
  const std::lock_guard guard{mutex};
  if (done || refused)
    return;
  refused = std::move(why);
  answered.notify_all();
}

outcome<link::session_ptr> link::current() {
  const std::lock_guard guard{mutex_};
  if (session_ == nullptr)
    return why_not_;
  if (session_->id() == without_inbox_)
    return {ec::store_denied, "the server does not let this client subscribe to its inbox; set the "
                              "inbox prefix that its permissions name"};
  return session_;
}

// Has `job` done by a worker, and waits for it no longer than `timeout`.
outcome<void> link::run(const std::shared_ptr<pending_call>& pending, milliseconds timeout,
                        std::size_t limit, std::function<void()> job) {
  {
    const std::lock_guard guard{mutex_};
    if (closed_)
      return why_not_;
    pending_.insert(pending);
  }
  if (!workers_.post(std::move(job), limit)) {
    pending->refuse({ec::store_unavailable, "too many calls to the store are under way"});
  } else {
    std::unique_lock guard{pending->mutex};
    pending->answered.wait_for(guard, timeout,
                               [&] { return pending->done || pending->refused.has_value(); });
  }
  pending->refuse(
    {ec::timed_out, "the server did not answer within " + std::to_string(timeout.count()) + " ms"});
  const std::lock_guard guard{mutex_};
  pending_.erase(pending);
  // `refuse` changes nothing once the job is done, and the job nothing once it is refused.
  if (pending->refused)
    return *pending->refused;
  return {};
}

// The server refused something; its text names the subject. No answer will come for it.
void link::refused(const std::string& text) {
  const auto subject = denied_subject(text);
  if (subject.empty())
    return;
  const auto inbox = options_.inbox_prefix.empty() ? std::string{"_INBOX"} : options_.inbox_prefix;
  const bool inbox_refused = subject.rfind(inbox + ".", 0) == 0;
  std::set<std::shared_ptr<pending_call>> cut;
  std::uint64_t up = 0;
  {
    const std::lock_guard guard{mutex_};
    if (session_ == nullptr)
      return;
    up = session_->id();
    if (inbox_refused)
      without_inbox_ = up;
    for (const auto& each : pending_)
      for (const auto& begin : each->subjects)
        if (inbox_refused || subject.rfind(begin, 0) == 0)
          cut.insert(each);
  }
  const failure why{ec::store_denied,
                    "the server refuses '" + subject + "': " + text + "; check the permissions"};
  for (const auto& each : cut)
    each->refuse(why);
  for (const auto& each : live_listeners())
    if (each->subject == subject)
      announce(true, why.message);
}

link::session_ptr link::newer_session(std::uint64_t old, deadline until) {
  std::unique_lock guard{mutex_};
  changed_.wait_until(guard, until,
                      [&] { return closed_ || (session_ != nullptr && session_->id() > old); });
  return session_ != nullptr && session_->id() > old ? session_ : nullptr;
}

outcome<void> publish_plainly(link& to, std::string subject, std::string text, call_options how) {
  return to.call<void>(std::move(how),
                       [subject = std::move(subject), text = std::move(text)](
                         const link::session_ptr& made, link::deadline) -> outcome<void> {
                         HARMONY_FAULT("nats.publish.before");
                         const auto status =
                           natsConnection_Publish(made->connection(), subject.c_str(), text.data(),
                                                  static_cast<int>(text.size()));
                         if (status != NATS_OK)
                           return from_status(status, jsErrCode{}, "publish on '" + subject + "'");
                         HARMONY_FAULT("nats.publish.after");
                         return {};
                       });
}

} // namespace harmony::nats
