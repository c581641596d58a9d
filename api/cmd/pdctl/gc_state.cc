#include <charconv>
#include <chrono>
#include <future>
#include <memory>

#include <fmt/format.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"
#include "proto/pdpb.pb.h"

namespace api::pdctl {
namespace {

constexpr uint32_t kKeyspaceIdMax = 16777215;
constexpr uint32_t kNullKeyspaceId = 4294967295;

std::shared_ptr<grpc::Channel> Dial(const Endpoint& endpoint, const TlsFiles& files) {
  const std::string target = fmt::format("{}:{}", endpoint.host, endpoint.port);
  if (!endpoint.tls) return grpc::CreateChannel(target, grpc::InsecureChannelCredentials());
  const auto read = [](const std::string& file) {
    std::string text;
    if (std::FILE* in = file.empty() ? nullptr : std::fopen(file.c_str(), "rb")) {
      char buffer[4096];
      for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, in)) > 0;) text.append(buffer, n);
      std::fclose(in);
    }
    return text;
  };
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = read(files.ca);
  options.pem_cert_chain = read(files.certificate);
  options.pem_private_key = read(files.key);
  return grpc::CreateChannel(target, grpc::SslCredentials(options));
}

// "30s", "1m", "500ms". Zero when it is none of these.
std::chrono::milliseconds ParseTimeout(const std::string& text) {
  double amount = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  const std::string unit(rest, text.data() + text.size());
  if (error != std::errc{}) return {};
  const double factor = unit == "ms"  ? 1
                        : unit == "s" ? 1e3
                        : unit == "m" ? 6e4
                        : unit == "h" ? 3.6e6
                                      : 0;
  return std::chrono::milliseconds(static_cast<int64_t>(amount * factor));
}

/// Asks each server in turn; the error is the text of the last failure.
template <class Response, class Query>
tl::expected<Response, std::string> Ask(Invocation& call, const std::string& method, Query query) {
  const Answer cluster = call.Get("/pd/api/v1/cluster");
  const Json info = Json::parse(cluster.body, nullptr, false);
  if (!cluster.Ok() || !info.is_object()) return tl::unexpected(cluster.error);
  query.mutable_header()->set_cluster_id(info.value("id", uint64_t{0}));
  std::string error;
  for (const Endpoint& endpoint : call.client().endpoints()) {
    grpc::TemplatedGenericStub<Query, Response> stub(Dial(endpoint, call.client().tls()));
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + ParseTimeout(call.Text("timeout")));
    Response response;
    std::promise<grpc::Status> done;
    stub.UnaryCall(&context, "/pdpb.PD/" + method, {}, &query, &response,
                   [&done](grpc::Status status) { done.set_value(std::move(status)); });
    const grpc::Status status = done.get_future().get();
    if (status.ok() && !response.header().has_error()) return response;
    error = status.ok() ? response.header().error().message() : status.error_message();
    if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
      error = fmt::format("requires a PD server that supports {}", method);
    }
  }
  return tl::unexpected(error);
}

template <class Barriers>
Json BarrierList(const Invocation& call, const Barriers& barriers) {
  Json list = Json::array();
  for (const auto& barrier : barriers) {
    if (barrier.ttl_seconds() == 0 && !call.On("include-expired")) continue;
    list.push_back({{"barrier_id", barrier.barrier_id()},
                    {"barrier_ts", barrier.barrier_ts()},
                    {"ttl_seconds", barrier.ttl_seconds()}});
  }
  return list;
}

uint32_t ScopeOf(const pdpb::GCState& state) {
  return state.has_keyspace_scope() ? state.keyspace_scope().keyspace_id() : kNullKeyspaceId;
}

void AddState(const Invocation& call, const pdpb::GCState& state, Json& out) {
  out["effective_keyspace_id"] = ScopeOf(state);
  out["is_keyspace_level_gc"] = state.is_keyspace_level_gc();
  out["txn_safe_point"] = state.txn_safe_point();
  out["gc_safe_point"] = state.gc_safe_point();
  out["gc_barriers"] = BarrierList(call, state.gc_barriers());
}

int ShowKeyspace(Invocation& call) {
  const std::string& text = call.arg(0);
  const auto id = ParseUint(text);
  if (!id || (*id > kKeyspaceIdMax && *id != kNullKeyspaceId)) {
    return call.FailWithUsage(
        fmt::format("invalid keyspace ID \"{}\": {}", text,
                    id ? "must be in [0, 16777215] or 4294967295" : id.error()));
  }
  const auto keyspace = static_cast<uint32_t>(*id);
  pdpb::GetGCStateRequest query;
  query.mutable_keyspace_scope()->set_keyspace_id(keyspace);
  query.set_include_global_gc_barriers(!call.On("exclude-global-barriers"));
  const auto answer = Ask<pdpb::GetGCStateResponse>(call, "GetGCState", query);
  if (!answer) {
    return call.Fail(
        fmt::format("failed to get GC state for keyspace {}: {}", keyspace, answer.error()));
  }
  Json out = {{"requested_keyspace_id", keyspace}};
  AddState(call, answer->gc_state(), out);
  if (!call.On("exclude-global-barriers")) {
    out["global_gc_barriers"] = BarrierList(call, answer->global_gc_barriers().barriers());
  }
  return call.Print(JsonText(out, 2));
}

int ShowAll(Invocation& call) {
  pdpb::GetAllKeyspacesGCStatesRequest query;
  query.set_exclude_global_gc_barriers(call.On("exclude-global-barriers"));
  const auto answer =
      Ask<pdpb::GetAllKeyspacesGCStatesResponse>(call, "GetAllKeyspacesGCStates", query);
  if (!answer) return call.Fail("failed to get all keyspaces GC states: " + answer.error());
  Json states = Json::array();
  for (const pdpb::GCState& state : answer->gc_states()) {
    Json out = Json::object();
    AddState(call, state, out);
    states.push_back(out);
  }
  Json out = {{"gc_states", states}};
  if (!call.On("exclude-global-barriers")) {
    out["global_gc_barriers"] = BarrierList(call, answer->global_gc_barriers());
  }
  return call.Print(JsonText(out, 2));
}

}  // namespace

Command GcStateCommand() {
  Command command{.use = "gc-state", .short_help = "show effective GC states and barriers"};
  command.run = [](Invocation& call) { return call.PrintHelp(); };
  command.long_help =
      "Show effective per-keyspace GC safe points and local and global barriers. Expired barriers "
      "awaiting lazy "
      "deletion are hidden by default; use --include-expired to include zero-TTL barriers returned "
      "by PD. Use "
      "keyspace for one effective GC scope or all for every effective GC scope.";
  command.persistent_flags = {
      {.name = "exclude-global-barriers",
       .type = FlagType::kBool,
       .usage = "exclude global GC barriers from the PD request and JSON output"},
      {.name = "include-expired",
       .type = FlagType::kBool,
       .usage = "include zero-TTL barriers returned by PD, which normally represent expired "
                "barriers awaiting lazy "
                "deletion"},
      {.name = "timeout",
       .type = FlagType::kDuration,
       .usage = "timeout for GC state RPCs",
       .default_value = "30s"}};
  command.children = {{.use = "all",
                       .short_help = "show effective GC scopes and cluster-wide GC state",
                       .run = ShowAll,
                       .args = {ArgRule::Kind::kExact, 0}},
                      {.use = "keyspace <keyspace_id>",
                       .short_help = "show one keyspace's effective GC state",
                       .run = ShowKeyspace,
                       .args = {ArgRule::Kind::kExact, 1}}};
  return command;
}

}  // namespace api::pdctl
