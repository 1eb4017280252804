#include "model/detail/dictionary.hpp"
#include "model/detail/shapes.hpp"

#include <cmath>

namespace harmony::detail {

namespace {

/// Levenshtein distance, or anything above 2 where it is above 2.
std::size_t distance(std::string_view a, std::string_view b) {
  if (a.size() > b.size() + 2 || b.size() > a.size() + 2)
    return 3;
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

json format_schema(const format& f) {
  json result{{"type", "string"}};
  if (!f.pattern.empty())
    result["pattern"] = f.pattern;
  if (f.max_bytes != 0)
    result["maxLength"] = f.max_bytes;
  return result;
}

bool holds(const format& f, const json& value) {
  return value.is_string() && f.accepts(value.get_ref<const std::string&>());
}

} // namespace

void mismatch(const place& where, std::string_view expected, const json& got) {
  where.fail("expected " + std::string{expected} + ", got " + shown(got));
}

void unknown_field(const place& where, std::string_view name,
                   const std::vector<std::string_view>& known) {
  const auto meant = nearest(name, known);
  where.fail("unknown field"
             + (meant.empty() ? std::string{} : "; did you mean '" + std::string{meant} + "'?"));
}

std::string_view nearest(std::string_view name, const std::vector<std::string_view>& known) {
  std::string_view best;
  std::size_t least = 3;
  for (const auto& candidate : known) {
    const auto edits = distance(name, candidate);
    if (edits < least && edits < candidate.size()) {
      least = edits;
      best = candidate;
    }
  }
  return best;
}

std::optional<std::int64_t> as_whole(const json& value) {
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    if (std::trunc(number) == number && std::abs(number) <= static_cast<double>(max_whole))
      return static_cast<std::int64_t>(number);
    return {};
  }
  if (value.is_number_unsigned()
      && value.get<std::uint64_t>() > static_cast<std::uint64_t>(max_whole))
    return {};
  return value.is_number_integer() ? std::optional{value.get<std::int64_t>()} : std::nullopt;
}

shape<std::string> text(const format& which) {
  return {
    std::string{which.expected},
    [&which](const json& value, std::string& out, const place& where) {
      if (!holds(which, value))
        return mismatch(where, which.expected, value);
      out = value.get_ref<const std::string&>();
    },
    [](const std::string& value) { return json(value); },
    [&which](schema_context&) { return format_schema(which); },
  };
}

shape<bool> boolean() {
  return {
    "true or false",
    [](const json& value, bool& out, const place& where) {
      if (!value.is_boolean())
        return mismatch(where, "true or false", value);
      out = value.get<bool>();
    },
    [](const bool& value) { return json(value); },
    [](schema_context&) {
      return json{{"type", "boolean"}};
    },
  };
}

shape<std::uint64_t> memory_size() {
  constexpr std::uint64_t least = 1 << 20;
  return {
    std::string{formats::size.expected},
    [=](const json& value, std::uint64_t& out, const place& where) {
      std::uint64_t bytes = 0;
      if (value.is_string())
        bytes = parse_size(value.get_ref<const std::string&>());
      else if (const auto number = as_whole(value); number && *number > 0)
        bytes = static_cast<std::uint64_t>(*number);
      if (bytes < least)
        return mismatch(where, formats::size.expected, value);
      out = bytes;
    },
    [](const std::uint64_t& bytes) {
      std::uint64_t factor = std::uint64_t{1} << 40;
      for (const auto* unit : {"Ti", "Gi", "Mi", "Ki"}) {
        if (bytes != 0 && bytes % factor == 0)
          return json(std::to_string(bytes / factor) + unit);
        factor >>= 10;
      }
      return json(bytes);
    },
    [=](schema_context&) {
      return json{{"anyOf",
                   {{{"type", "integer"}, {"minimum", least}, {"maximum", max_whole}},
                    format_schema(formats::size)}}};
    },
  };
}

shape<timestamp> time_stamp() {
  return {
    std::string{formats::time.expected},
    [](const json& value, timestamp& out, const place& where) {
      if (!holds(formats::time, value))
        return mismatch(where, formats::time.expected, value);
      out = *parse_time(value.get_ref<const std::string&>());
    },
    [](const timestamp& value) { return json(format_time(value)); },
    [](schema_context&) { return format_schema(formats::time); },
  };
}

shape<resource_id> id_text() {
  return {
    std::string{formats::id.expected},
    [](const json& value, resource_id& out, const place& where) {
      if (!value.is_string() || !parse_resource_id(value.get_ref<const std::string&>(), out))
        mismatch(where, formats::id.expected, value);
    },
    [](const resource_id& value) { return json(value.str()); },
    [](schema_context&) { return format_schema(formats::id); },
  };
}

shape<std::map<std::string, std::string>> dictionary(const format& key, const format& value) {
  return dictionary_of(key, text(value), "an object of strings");
}

std::string document_schema(std::string_view title, std::string_view doc, bool strict,
                            const std::function<json(schema_context&)>& root) {
  schema_context ctx{.strict = strict};
  auto result = root(ctx);
  result["$schema"] = "https://json-schema.org/draft/2020-12/schema";
  result["title"] = title;
  result["description"] = doc;
  result["$defs"] = ctx.definitions;
  return to_text(result, true) + "\n";
}

} // namespace harmony::detail
