#include <cstdlib>

#include <fmt/format.h>

#include "api/cmd/pdctl/groups.h"
#include "api/cmd/pdctl/invocation.h"

namespace api::pdctl {
namespace {

constexpr const char* kConfig = "/pd/api/v1/config";
constexpr const char* kMiddleware = "/pd/api/v1/service-middleware/config";

// What operators tune day to day: the other sections and a few internals are left to `config show all`.
int ShowConfig(Invocation& call) {
  const Answer answer = call.Get(kConfig);
  if (!answer.Ok()) return call.PrintBody(answer, "Failed to get config");
  const SortedJson all = SortedJson::parse(answer.body, nullptr, false);
  if (!all.is_object()) return call.Fail("Failed to get config: the answer is not JSON");
  SortedJson shown = SortedJson::object();
  for (const char* section : {"replication", "schedule"}) {
    if (all.contains(section)) shown[section] = all[section];
  }
  for (const char* hidden :
       {"schedulers-v2", "store-limit", "store-limit-mode", "enable-remove-down-replica",
        "enable-replace-offline-replica", "enable-make-up-replica", "enable-remove-extra-replica",
        "enable-location-replacement", "enable-one-way-merge", "enable-debug-metrics",
        "scheduler-max-waiting-operator"}) {
    if (shown.contains("schedule")) shown["schedule"].erase(hidden);
  }
  return call.Print(JsonText(shown, 2));
}

void WarnOfFewerReplicas(Invocation& call, const Json& value) {
  const Answer answer = call.Get("/pd/api/v1/config/replicate");
  const Json config = Json::parse(answer.body, nullptr, false);
  if (!answer.Ok() || !config.is_object() || !value.is_number()) return;
  const double now = config.value("max-replicas", 0.0);
  if (value.get<double>() >= now) return;
  call.Print(fmt::format(
      "Setting max-replica to {} which is less than the current one {}; replicas will be removed.",
      JsonText(value, 0), now));
}

int SetConfig(Invocation& call) {
  if (call.count() != 2) return call.PrintUsageLine();
  const Json value = NumberOrString(call.arg(1));
  if (call.arg(0) == "max-replicas") WarnOfFewerReplicas(call, value);
  return call.PrintSuccess(call.Send(PostJson(kConfig, {{call.arg(0), value}})),
                           "Failed to set config");
}

Handler ChangeLabelProperty(const std::string& action) {
  return [action](Invocation& call) {
    if (call.count() != 3) return call.PrintUsageLine();
    return call.PrintOutcome(
        call.Send(PostJson("/pd/api/v1/config/label-property", {{"type", call.arg(0)},
                                                                {"action", action},
                                                                {"label-key", call.arg(1)},
                                                                {"label-value", call.arg(2)}})));
  };
}

int SetClusterVersion(Invocation& call) {
  if (call.count() != 1) return call.PrintUsageLine();
  return call.PrintOutcome(
      call.Send(PostJson("/pd/api/v1/config/cluster-version", {{"cluster-version", call.arg(0)}})));
}

int SetReplicationMode(Invocation& call) {
  Json body;
  if (call.count() == 1) {
    body = {{"replication-mode", call.arg(0)}};
  } else if (call.count() == 3) {
    Json value = call.arg(2);
    if (call.arg(1).ends_with("-replicas")) {
      const auto number = ParseUint(call.arg(2));
      if (!number) {
        return call.Print(
            fmt::format("value {} cannot covert to number: {}", call.arg(2), number.error()));
      }
      value = *number;
    }
    body = {{call.arg(0), {{call.arg(1), value}}}};
  } else {
    return call.PrintUsageLine();
  }
  return call.PrintOutcome(call.Send(PostJson("/pd/api/v1/config/replication-mode", body)));
}

int SetLimiter(Invocation& call) {
  const std::string& type = call.arg(0);
  if (type != "rate-limit" && type != "grpc-rate-limit") {
    return call.Print("Failed to get correct type: " + type);
  }
  if (call.arg(2) != "qps" && call.arg(2) != "concurrency") {
    return call.Print("Input is invalid, should be qps or concurrency");
  }
  const auto value = ParseFloat(call.arg(3));
  if (!value) return call.Print(value.error());
  Json body = {{"label", call.arg(1)}, {call.arg(2), *value}};
  if (type == "rate-limit") body["type"] = "label";
  return call.PrintOutcome(call.Send(PostJson(fmt::format("{}/{}", kMiddleware, type), body)));
}

int SetMiddleware(Invocation& call) {
  if (call.count() == 4) return SetLimiter(call);
  if (call.count() != 3) return call.PrintUsageLine();
  const std::string key = fmt::format("{}.{}", call.arg(0), call.arg(1));
  return call.PrintOutcome(call.Send(PostJson(kMiddleware, {{key, call.arg(2)}})));
}

Command ShowCommand() {
  Command show{.use = "show [replication|label-property|all]",
               .short_help = "show replication and schedule config of PD",
               .run = ShowConfig};
  show.persistent_flags = {{.name = "from_pd",
                            .type = FlagType::kBool,
                            .usage = "read data from PD rather than a microservice"}};
  const auto section = [](const char* name, const char* help, const std::string& rest,
                          const char* failure) {
    return Command{.use = name, .short_help = help, .run = Getting(kConfig + rest, failure)};
  };
  show.children = {
      section("all", "show all config of PD", "", "Failed to get config"),
      section("schedule", "show schedule config of PD", "/schedule", "Failed to get config"),
      section("replication", "show replication config of PD", "/replicate", "Failed to get config"),
      section("label-property", "show label property config", "/label-property",
              "Failed to get config"),
      section("cluster-version", "show the cluster version", "/cluster-version",
              "Failed to get cluster version"),
      section("replication-mode", "show replication mode config", "/replication-mode",
              "Failed to get replication mode config"),
      section("server", "show PD server config", "/pd-server", "Failed to get server config"),
      {.use = "service-middleware",
       .short_help = "show service middleware config",
       .run = Getting(kMiddleware, "Failed to get config")}};
  return show;
}

Command SetCommand() {
  Command set{.use =
                  "set <option> <value>, set label-property <type> <key> <value>, set "
                  "cluster-version <version>",
              .short_help = "set the option with value",
              .run = SetConfig};
  set.children = {
      {.use = "label-property <type> <key> <value>",
       .short_help = "set a label property config item",
       .run = ChangeLabelProperty("set")},
      {.use = "cluster-version <version>",
       .short_help = "set cluster version",
       .run = SetClusterVersion},
      {.use = "replication-mode <mode> [<key>, <value>]",
       .short_help = "set replication mode config",
       .run = SetReplicationMode},
      {.use = "service-middleware <type> [<key> <value> | <label> <qps|concurrency> <value>]",
       .short_help = "set service middleware config",
       .run = SetMiddleware}};
  return set;
}

}  // namespace

Command ConfigCommand() {
  Command config{.use = "config <subcommand>", .short_help = "tune pd configs"};
  config.children = {ShowCommand(),
                     SetCommand(),
                     {.use = "delete label-property",
                      .short_help = "delete the config option",
                      .children = {{.use = "label-property <type> <key> <value>",
                                    .short_help = "delete a label property config item",
                                    .run = ChangeLabelProperty("delete")}}},
                     PlacementRulesCommand(),
                     AffinityCommand()};
  return config;
}

}  // namespace api::pdctl
