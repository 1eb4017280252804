#include "reconcilers/secrets.hpp"

#include <algorithm>

#include "model/utf8.hpp"

namespace harmony {

namespace {

/// A reference of a declaration, and the variable or field that it is for, whose value is a text; a
/// File's is for none, and any bytes.
struct named_ref {
  std::string variable;
  secret_ref* ref;
};

std::vector<named_ref> secrets_of(resource_spec& spec) {
  std::vector<named_ref> all;
  if (auto* file = std::get_if<file_spec>(&spec); file != nullptr && file->secret)
    all.push_back({{}, &*file->secret});
  if (auto* container = std::get_if<container_spec>(&spec))
    for (auto& [name, ref] : container->secret_env)
      all.push_back({name, &ref});
  if (auto* member = std::get_if<postgres_cluster_spec>(&spec);
      member != nullptr && member->replication_password)
    all.push_back({"replication", &*member->replication_password});
  return all;
}

bool has_secrets(const resource_spec& spec) {
  const auto* file = std::get_if<file_spec>(&spec);
  const auto* container = std::get_if<container_spec>(&spec);
  const auto* member = std::get_if<postgres_cluster_spec>(&spec);
  return (file != nullptr && file->secret)
         || (container != nullptr && !container->secret_env.empty())
         || (member != nullptr && member->replication_password);
}

bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto length = utf8_length(text, at);
    if (length == 0)
      return false;
    at += length;
  }
  return true;
}

/// The value as it stands in an environment or a connection: without the line break that editors
/// put behind it.
outcome<secret_bytes> as_variable(const secret_ref& ref, const secret_bytes& value) {
  auto text = value.reveal();
  if (!text.empty() && text.back() == '\n')
    text.remove_suffix(1);
  if (text.find('\0') != std::string_view::npos || !is_utf8(text))
    return {ec::secret_unavailable,
            ref.str()
              + " is no text (UTF-8, no NUL byte), which it must be here; a "
                "File can have any bytes"};
  return secret_bytes{std::string{text}};
}

/// All values in one text that no other values give.
secret_bytes joined(const std::vector<named_ref>& all) {
  const auto part = [](std::string_view text) { return std::to_string(text.size()) + ":"; };
  std::size_t size = 0;
  for (const auto& each : all)
    size += each.variable.size() + each.ref->value->reveal().size() + 48;
  std::string text;
  text.reserve(size); // no growth that leaves copies behind
  for (const auto& each : all) {
    text.append(part(each.variable)).append(each.variable);
    text.append(part(each.ref->value->reveal())).append(each.ref->value->reveal());
  }
  return secret_bytes{std::move(text)};
}

// -- what comes back -----------------------------------------------------------------------------

/// Shorter ones are in other texts by chance, and taking them out would tell where.
constexpr std::size_t shortest = 6;

void take_out(std::string& text, std::string_view secret) {
  constexpr std::string_view instead = "(secret)";
  if (secret.size() < shortest)
    return;
  for (auto at = text.find(secret); at != std::string::npos;
       at = text.find(secret, at + instead.size()))
    text.replace(at, secret.size(), instead);
}

/// Takes every value out of `text`, and every line of one.
void scrub(std::string& text, resource_spec& resolved) {
  for (const auto& each : secrets_of(resolved)) {
    if (!each.ref->value)
      continue;
    const auto whole = each.ref->value->reveal();
    take_out(text, whole);
    for (std::size_t from = 0; from < whole.size();) {
      const auto end = std::min(whole.find('\n', from), whole.size());
      take_out(text, whole.substr(from, end - from));
      from = end + 1;
    }
  }
}

failure scrubbed(failure why, resource_spec& resolved) {
  scrub(why.message, resolved);
  return why;
}

} // namespace

// -- uses ----------------------------------------------------------------------------------------

void secret_uses::note(const std::string& target, const secret_ref& ref) {
  if (ref.from == secret_source::sealed) // stands in the declaration
    return;
  const std::lock_guard guard{mutex_};
  auto& refs = uses_[target];
  const secret_ref bare{ref.from, ref.what};
  if (std::find(refs.begin(), refs.end(), bare) == refs.end())
    refs.push_back(bare);
}

void secret_uses::forget(const std::string& target) {
  const std::lock_guard guard{mutex_};
  uses_.erase(target);
}

std::string secret_uses::stamp_of(const std::string& target) const {
  std::vector<secret_ref> refs;
  {
    const std::lock_guard guard{mutex_};
    if (const auto found = uses_.find(target); found != uses_.end())
      refs = found->second;
  }
  std::string text;
  for (const auto& each : refs)
    text += "\n" + secrets_->stamp(each);
  return text;
}

// -- driver --------------------------------------------------------------------------------------

secret_driver::resolved secret_driver::resolve(const desired<resource_spec>& want) const {
  resolved result{want, {}};
  const auto all = secrets_of(result.want.spec);
  resource r;
  r.id = want.id;
  r.spec = want.spec;
  const auto target = inner_->target(r);
  for (const auto& each : all) {
    uses_->note(target, *each.ref);
    auto value = secrets_->read(*each.ref, want.id);
    if (value && !each.variable.empty())
      value = as_variable(*each.ref, *value);
    if (value)
      each.ref->value = std::move(*value);
    else if (!result.missing)
      result.missing =
        failure{value.error().code,
                (each.variable.empty() ? "" : each.variable + ": ") + value.error().message};
  }
  if (result.missing || !std::holds_alternative<container_spec>(want.spec))
    return result;
  // What runs has the values that it was made with.
  if (auto mark = secrets_->mark(joined(all).reveal()))
    result.want.secret_stamp = std::move(*mark);
  else
    result.missing = mark.error();
  return result;
}

outcome<observation> secret_driver::observe(const desired<resource_spec>& want, op_context& ctx) {
  if (!has_secrets(want.spec))
    return inner_->observe(want, ctx);
  auto own = resolve(want);
  auto seen = inner_->observe(own.want, ctx);
  if (!seen)
    return scrubbed(seen.error(), own.want.spec);
  if (own.missing) {
    seen->changes.clear();
    seen->obstacle = std::move(own.missing);
  }
  for (auto& each : seen->changes) {
    scrub(each.from, own.want.spec);
    scrub(each.to, own.want.spec);
  }
  if (seen->obstacle)
    scrub(seen->obstacle->message, own.want.spec);
  return seen;
}

outcome<void> secret_driver::apply(const desired<resource_spec>& want,
                                   const std::vector<change>& todo, op_context& ctx) {
  if (!has_secrets(want.spec))
    return inner_->apply(want, todo, ctx);
  auto own = resolve(want);
  if (own.missing)
    return *own.missing;
  const auto done = inner_->apply(own.want, todo, ctx);
  return done ? done : scrubbed(done.error(), own.want.spec);
}

std::optional<failure> secret_driver::why_ended(const desired<resource_spec>& want,
                                                op_context& ctx) {
  auto why = inner_->why_ended(want, ctx);
  if (!why || !has_secrets(want.spec))
    return why;
  auto own = resolve(want);
  return scrubbed(*why, own.want.spec);
}

outcome<logs_result> secret_driver::logs(const desired<resource_spec>& want, const log_query& query,
                                         op_context& ctx) {
  auto lines = inner_->logs(want, query, ctx);
  if (!lines || !has_secrets(want.spec))
    return lines;
  auto own = resolve(want);
  for (auto& each : lines->lines)
    scrub(each.text, own.want.spec);
  return lines;
}

// -- monitor -------------------------------------------------------------------------------------

outcome<std::vector<runtime_fact>> secret_monitor::relist(std::chrono::milliseconds timeout) {
  auto facts = inner_->relist(timeout);
  if (facts)
    for (auto& each : *facts)
      each.fingerprint += uses_->stamp_of(each.target);
  return facts;
}

} // namespace harmony
