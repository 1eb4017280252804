#pragma once

// How C++ values stand in JSON. A `shape<T>` reads, writes and describes a T; that of a struct is
// a table of fields, and the table is all there is: decoder, encoder and JSON Schema follow from
// it.

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "model/detail/formats.hpp"
#include "model/detail/json.hpp"

namespace harmony::detail {

/// What a schema is written with: shared definitions, and whether unknown fields are faults.
struct schema_context {
  bool strict = true;
  json definitions = json::object();
};

/// A handle: copies share what they were made of.
template <class T>
class shape {
public:
  using reader = std::function<void(const json& value, T& out, const place& where)>;
  using writer = std::function<json(const T& value)>;
  using describer = std::function<json(schema_context& ctx)>;

  shape(std::string expected, reader read, writer write, describer schema)
    : parts_(std::make_shared<const parts>(
      parts{std::move(expected), std::move(read), std::move(write), std::move(schema)})) {}

  /// As in "expected a list, got 7".
  [[nodiscard]] const std::string& expected() const { return parts_->expected; }

  /// Reads `value` into `out`, which holds a default, and says at `where` what is wrong.
  void read(const json& value, T& out, const place& where) const {
    parts_->read(value, out, where);
  }

  [[nodiscard]] json write(const T& value) const { return parts_->write(value); }
  json schema(schema_context& ctx) const { return parts_->schema(ctx); }

  /// The same but for one part.
  [[nodiscard]] shape reading(reader read) const {
    return {parts_->expected, std::move(read), parts_->write, parts_->schema};
  }
  [[nodiscard]] shape described(describer schema) const {
    return {parts_->expected, parts_->read, parts_->write, std::move(schema)};
  }

private:
  struct parts {
    std::string expected;
    reader read;
    writer write;
    describer schema;
  };
  std::shared_ptr<const parts> parts_;
};

/// One row of a struct's table.
template <class S>
struct field {
  std::string_view name;
  std::string_view doc;
  bool required = false;
  std::string expected;
  std::function<void(const json& value, S& out, const place& where)> read;
  std::function<std::optional<json>(const S& from)> write; ///< nothing: it is left out
  std::function<json(schema_context& ctx)> schema;
};

/// What more than one field of an object must satisfy.
template <class S>
struct rule {
  /// Runs even where fields are wrong: those hold their defaults in `value`.
  std::function<void(const json& object, const S& value, const place& where)> check;
  json schema; ///< a list of fragments that all hold; empty where a schema cannot say it
};

/// Says that `got` is not what was expected.
void mismatch(const place& where, std::string_view expected, const json& got);

/// Says that `name` is no field, and which one of `known` may have been meant.
void unknown_field(const place& where, std::string_view name,
                   const std::vector<std::string_view>& known);

/// The one of `known` that is at most two edits from `name`; empty: none.
std::string_view nearest(std::string_view name, const std::vector<std::string_view>& known);

/// The value of a whole number, also one written as 7.0; nothing for anything else.
std::optional<std::int64_t> as_whole(const json& value);

// -- values -----------------------------------------------------------------------------------

shape<std::string> text(const format& which);
shape<bool> boolean();
shape<std::uint64_t> memory_size();
shape<timestamp> time_stamp();
shape<resource_id> id_text();
shape<std::map<std::string, std::string>> dictionary(const format& key, const format& value);

template <class N>
shape<N> whole(std::int64_t low, std::int64_t high) {
  auto expected = low == high
                    ? std::to_string(low)
                    : "a whole number from " + std::to_string(low) + " to " + std::to_string(high);
  return {
    expected,
    [=](const json& value, N& out, const place& where) {
      const auto number = as_whole(value);
      if (!number || *number < low || *number > high)
        return mismatch(where, expected, value);
      out = static_cast<N>(*number);
    },
    [](const N& value) { return json(value); },
    [=](schema_context&) {
      return json{{"type", "integer"}, {"minimum", low}, {"maximum", high}};
    },
  };
}

/// The names of an enumeration, in the order of its values from 0.
template <class E>
shape<E> named(std::vector<std::string_view> names) {
  std::string expected = "one of";
  for (const auto& name : names)
    expected += (&name == names.data() ? " " : ", ") + to_text(json(name));
  return {
    expected,
    [=](const json& value, E& out, const place& where) {
      for (std::size_t i = 0; i < names.size(); ++i)
        if (value.is_string() && value.get_ref<const std::string&>() == names[i]) {
          out = static_cast<E>(i);
          return;
        }
      mismatch(where, expected, value);
    },
    [=](const E& value) { return json(names[static_cast<std::size_t>(value)]); },
    [=](schema_context&) {
      return json{{"enum", names}};
    },
  };
}

/// Whether each element's faults are kept apart (`place::part`, under this code).
using apart = std::optional<ec>;

template <class T>
shape<std::vector<T>> list_of(shape<T> element, std::size_t least = 0, apart parts = {}) {
  const std::string expected = least == 0 ? "a list" : "a list that is not empty";
  return {
    expected,
    [=](const json& value, std::vector<T>& out, const place& where) {
      if (!value.is_array() || value.size() < least)
        return mismatch(where, expected, value);
      out.clear();
      out.reserve(value.size());
      for (std::size_t i = 0; i < value.size(); ++i)
        element.read(value[i], out.emplace_back(), parts ? where.part(i, *parts) : where.at(i));
    },
    [=](const std::vector<T>& list) {
      auto result = json::array();
      for (const auto& each : list)
        result.push_back(element.write(each));
      return result;
    },
    [=](schema_context& ctx) {
      json result{{"type", "array"}, {"items", element.schema(ctx)}};
      if (least != 0)
        result["minItems"] = least;
      return result;
    },
  };
}

// -- fields -----------------------------------------------------------------------------------
// `get` is a pointer to member, or a function from S& to the member's reference.

/// The whole of S: for tables over a variant, or over what they are nested in.
inline constexpr auto self = [](auto& s) -> auto& {
  return s;
};

template <class S, class T, class Get>
field<S> required(std::string_view name, Get get, shape<T> form, std::string_view doc) {
  return {
    name,
    doc,
    true,
    form.expected(),
    [=](const json& v, S& s, const place& at) { form.read(v, std::invoke(get, s), at); },
    [=](const S& s) -> std::optional<json> { return form.write(std::invoke(get, s)); },
    [=](schema_context& ctx) { return form.schema(ctx); },
  };
}

/// A field that may be left out, and is left out where it equals the default that S gives it.
template <class S, class T, class Get>
field<S> optional(std::string_view name, Get get, shape<T> form, std::string_view doc) {
  const S blank{};
  const T fallback = std::invoke(get, blank);
  return {
    name,
    doc,
    false,
    form.expected(),
    [=](const json& v, S& s, const place& at) { form.read(v, std::invoke(get, s), at); },
    [=](const S& s) -> std::optional<json> {
      const T& value = std::invoke(get, s);
      return value == fallback ? std::nullopt : std::optional{form.write(value)};
    },
    [=](schema_context& ctx) {
      auto result = form.schema(ctx);
      const auto value = form.write(fallback);
      // An empty default means "not set", which is said by leaving the field out.
      if (value.is_boolean() || (value.is_number() && value != 0)
          || (value.is_string() && value != ""))
        result["default"] = value;
      return result;
    },
  };
}

/// A field that is set or not.
template <class S, class T, class Get>
field<S> maybe(std::string_view name, Get get, shape<T> form, std::string_view doc) {
  return {
    name,
    doc,
    false,
    form.expected(),
    [=](const json& v, S& s, const place& at) { form.read(v, std::invoke(get, s).emplace(), at); },
    [=](const S& s) -> std::optional<json> {
      const auto& value = std::invoke(get, s);
      return value ? std::optional{form.write(*value)} : std::nullopt;
    },
    [=](schema_context& ctx) { return form.schema(ctx); },
  };
}

/// The alternative T of a variant, under a name of its own. `exactly_one` says that one is needed.
template <class S, class T, class Get>
field<S> alternative(std::string_view name, Get get, shape<T> form, std::string_view doc) {
  return {
    name,
    doc,
    false,
    form.expected(),
    [=](const json& v, S& s, const place& at) {
      form.read(v, std::invoke(get, s).template emplace<T>(), at);
    },
    [=](const S& s) -> std::optional<json> {
      const auto* value = std::get_if<T>(&std::invoke(get, s));
      return value ? std::optional{form.write(*value)} : std::nullopt;
    },
    [=](schema_context& ctx) { return form.schema(ctx); },
  };
}

/// A field that always holds `value`.
template <class S>
field<S> constant(std::string_view name, std::string_view value, std::string_view doc) {
  const auto expected = to_text(json(value));
  return {
    name,
    doc,
    true,
    expected,
    [=](const json& v, S&, const place& at) {
      if (v != json(value))
        mismatch(at, expected, v);
    },
    [=](const S&) -> std::optional<json> { return json(value); },
    [=](schema_context&) {
      return json{{"const", value}};
    },
  };
}

// -- objects ----------------------------------------------------------------------------------

/// Exactly one of `names` is there.
template <class S>
rule<S> exactly_one(const std::vector<std::string_view>& names) {
  auto choices = json::array();
  std::string text;
  for (const auto& name : names) {
    choices.push_back({{"required", {name}}});
    text += (text.empty() ? "'" : ", '") + std::string{name} + "'";
  }
  return {[=](const json& object, const S&, const place& where) {
            std::string got;
            int count = 0;
            for (const auto& name : names)
              if (object.contains(name)) {
                got += (count++ == 0 ? "'" : ", '") + std::string{name} + "'";
              }
            if (count != 1)
              where.fail("expected exactly one of " + text + ", got "
                         + (count == 0 ? "none" : got));
          },
          json::array({{{"oneOf", choices}}})};
}

template <class S>
void read_object(const json& value, S& out, const place& where, const std::vector<field<S>>& fields,
                 const std::vector<rule<S>>& rules) {
  if (where.strict()) {
    std::vector<std::string_view> known;
    known.reserve(fields.size());
    for (const auto& f : fields)
      known.push_back(f.name);
    for (const auto& member : value.items())
      if (std::find(known.begin(), known.end(), member.key()) == known.end())
        unknown_field(where.at(member.key()), member.key(), known);
  }
  for (const auto& f : fields) {
    const auto found = value.find(f.name);
    if (found != value.end())
      f.read(*found, out, where.at(f.name));
    else if (f.required)
      where.at(f.name).fail("is missing; expected " + f.expected);
  }
  if (where.strict())
    for (const auto& r : rules)
      r.check(value, out, where);
}

template <class S>
json object_schema(schema_context& ctx, const std::vector<field<S>>& fields,
                   const std::vector<rule<S>>& rules) {
  json result{{"type", "object"}, {"properties", json::object()}};
  for (const auto& f : fields) {
    auto& property = result["properties"][std::string{f.name}] = f.schema(ctx);
    if (!f.doc.empty())
      property["description"] = f.doc;
    if (f.required)
      result["required"].push_back(f.name);
  }
  if (ctx.strict) {
    result["additionalProperties"] = false;
    for (const auto& r : rules)
      for (const auto& fragment : r.schema)
        result["allOf"].push_back(fragment);
  }
  return result;
}

/// A struct by its table. One with a `title` is described once, under `$defs`.
template <class S>
shape<S> object(std::string_view title, std::vector<field<S>> rows,
                std::vector<rule<S>> more = {}) {
  // Shared by the three functions below.
  const auto fields = std::make_shared<const std::vector<field<S>>>(std::move(rows));
  const auto rules = std::make_shared<const std::vector<rule<S>>>(std::move(more));
  return {
    "an object",
    [=](const json& value, S& out, const place& where) {
      value.is_object() ? read_object(value, out, where, *fields, *rules)
                        : mismatch(where, "an object", value);
    },
    [=](const S& from) {
      auto result = json::object();
      for (const auto& f : *fields)
        if (auto value = f.write(from))
          result[std::string{f.name}] = std::move(*value);
      return result;
    },
    [=](schema_context& ctx) {
      if (title.empty())
        return object_schema(ctx, *fields, *rules);
      const std::string key{title};
      if (!ctx.definitions.contains(key))
        ctx.definitions[key] = object_schema(ctx, *fields, *rules);
      return json{{"$ref", "#/$defs/" + key}};
    },
  };
}

} // namespace harmony::detail
