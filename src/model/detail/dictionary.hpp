#pragma once

#include "model/detail/shape.hpp"

namespace harmony::detail {

/// An object of any number of members, whose names are of a format. `expected`: what it is called.
template <class T>
shape<std::map<std::string, T>> dictionary_of(const format& key, shape<T> value,
                                              std::string_view expected) {
  using map = std::map<std::string, T>;
  return {
    std::string{expected},
    [&key, value, expected](const json& object, map& out, const place& where) {
      if (!object.is_object())
        return mismatch(where, expected, object);
      out.clear();
      for (const auto& member : object.items()) {
        if (!key.accepts(member.key()))
          where.at(member.key()).fail("expected as its name " + std::string{key.expected});
        value.read(member.value(), out[member.key()], where.at(member.key()));
      }
    },
    [value](const map& from) {
      auto result = json::object();
      for (const auto& [name, each] : from)
        result[name] = value.write(each);
      return result;
    },
    [&key, value](schema_context& ctx) {
      return json{{"type", "object"},
                  {"propertyNames", text(key).schema(ctx)},
                  {"additionalProperties", value.schema(ctx)}};
    },
  };
}

} // namespace harmony::detail
