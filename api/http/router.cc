#include "api/http/router.h"

#include <charconv>
#include <map>

#include <fmt/format.h>

#include "scheduler/model/assert.h"

namespace api {
namespace {

/// Cuts "/a/b" into {"a", "b"}; "/a/" has an empty last segment.
std::vector<std::string_view> Segments(std::string_view path) {
  std::vector<std::string_view> segments;
  if (!path.empty() && path[0] == '/') path.remove_prefix(1);
  while (true) {
    const size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool IsParameter(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool IsRest(std::string_view segment) {
  return IsParameter(segment) && segment.size() > 5 && segment.substr(segment.size() - 4) == "...}";
}

}  // namespace

struct Router::Node {
  struct Endpoint {
    std::string name;
    std::vector<std::string> parameters;  // Names, in the order of the path.
    HttpHandler handler;
  };
  using Endpoints = std::map<std::string, Endpoint, std::less<>>;  // By method; "*" is any.

  std::map<std::string, Node, std::less<>> exact;
  std::unique_ptr<Node> parameter;
  Endpoints here;
  Endpoints rest;  // What a {name...} at this place leads to.
};

namespace {

/// Looks a path up: depth first, exact before parameter before rest; remembers values on the way.
template <class Node>
class Search {
 public:
  Search(std::string_view method, std::string_view path)
      : method_(method), segments_(Segments(path)) {}

  bool Visit(const Node& node, size_t index) {
    if (index == segments_.size()) return Ends(node.here);
    auto decoded = PercentDecode(segments_[index], PlusSign::kLiteral);
    if (!decoded) return false;
    const auto exact = node.exact.find(*decoded);
    if (exact != node.exact.end() && Visit(exact->second, index + 1)) return true;
    if (node.parameter && !decoded->empty()) {
      values_.push_back(*decoded);
      if (Visit(*node.parameter, index + 1)) return true;
      values_.pop_back();
    }
    if (node.rest.empty()) return false;
    values_.push_back(RestFrom(index));
    if (Ends(node.rest)) return true;
    values_.pop_back();
    return false;
  }

  Router::Match match;

 private:
  bool Ends(const typename Node::Endpoints& endpoints) {
    if (endpoints.empty()) return false;
    match.known_path = true;
    auto found = endpoints.find(method_);
    if (found == endpoints.end()) found = endpoints.find("*");
    if (found == endpoints.end()) return false;
    match.handler = &found->second.handler;
    match.name = found->second.name;
    for (size_t i = 0; i < values_.size(); ++i) {
      match.params.emplace_back(found->second.parameters[i], values_[i]);
    }
    return true;
  }

  [[nodiscard]] std::string RestFrom(size_t index) const {
    std::string rest;
    for (size_t i = index; i < segments_.size(); ++i) {
      if (i > index) rest += '/';
      rest += PercentDecode(segments_[i], PlusSign::kLiteral).value_or(std::string(segments_[i]));
    }
    return rest;
  }

  const std::string_view method_;
  const std::vector<std::string_view> segments_;
  std::vector<std::string> values_;
};

tl::unexpected<std::string> NumberError(std::string_view function, std::string_view text,
                                        std::errc reason) {
  return tl::unexpected(fmt::format(
      "strconv.{}: parsing \"{}\": {}", function, text,
      reason == std::errc::result_out_of_range ? "value out of range" : "invalid syntax"));
}

template <class Integer>
tl::expected<Integer, std::string> ParseInteger(std::string_view text, std::string_view function) {
  std::string_view digits = text;
  // Go takes a leading plus for signed numbers only; from_chars takes none.
  if (std::is_signed_v<Integer> && digits.size() > 1 && digits[0] == '+' && digits[1] != '-') {
    digits.remove_prefix(1);
  }
  Integer value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (error == std::errc::invalid_argument || stop != end) {
    return NumberError(function, text, std::errc::invalid_argument);
  }
  if (error != std::errc()) return NumberError(function, text, error);
  return value;
}

}  // namespace

Router::Router() : root_(std::make_unique<Node>()) {}

Router::~Router() = default;

void Router::Add(std::string_view method, std::string_view pattern, std::string_view name,
                 HttpHandler handler) {
  Node* node = root_.get();
  Node::Endpoint endpoint{std::string(name), {}, std::move(handler)};
  Node::Endpoints* endpoints = nullptr;
  for (const std::string_view segment : Segments(pattern)) {
    PD_ASSERT(endpoints == nullptr);  // Nothing may follow {name...}.
    if (IsRest(segment)) {
      endpoint.parameters.emplace_back(segment.substr(1, segment.size() - 5));
      endpoints = &node->rest;
    } else if (IsParameter(segment)) {
      endpoint.parameters.emplace_back(segment.substr(1, segment.size() - 2));
      if (!node->parameter) node->parameter = std::make_unique<Node>();
      node = node->parameter.get();
    } else {
      node = &node->exact[std::string(segment)];
    }
  }
  if (endpoints == nullptr) endpoints = &node->here;
  const bool inserted = endpoints->emplace(method, std::move(endpoint)).second;
  PD_ASSERT(inserted);
  routes_.push_back(fmt::format("{} {}", method, pattern));
  names_.emplace(name);
}

Router::Match Router::Find(std::string_view method, std::string_view path) const {
  Search<Node> search(method, path);
  search.Visit(*root_, 0);
  return std::move(search.match);
}

tl::expected<bool, std::string> ParseBool(std::string_view text) {
  for (const char* word : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == word) return true;
  }
  for (const char* word : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == word) return false;
  }
  return tl::unexpected(fmt::format("strconv.ParseBool: parsing \"{}\": invalid syntax", text));
}

tl::expected<uint64_t, std::string> ParseUint64(std::string_view text) {
  return ParseInteger<uint64_t>(text, "ParseUint");
}

tl::expected<int64_t, std::string> ParseInt64(std::string_view text, std::string_view function) {
  return ParseInteger<int64_t>(text, function);
}

}  // namespace api
