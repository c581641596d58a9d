#include "api/grpc/registry.h"

#include "scheduler/model/assert.h"

namespace api {
namespace {

/// "/pdpb.PD/GetStore" -> {"pdpb.PD", "GetStore"}; both empty when the name has no such shape.
std::pair<std::string_view, std::string_view> SplitName(std::string_view full_name) {
  const size_t slash = full_name.rfind('/');
  if (full_name.empty() || full_name[0] != '/' || slash == 0) return {};
  return {full_name.substr(1, slash - 1), full_name.substr(slash + 1)};
}

}  // namespace

void MethodRegistry::Add(std::string_view full_name, Method method) {
  const auto [service, name] = SplitName(full_name);
  PD_ASSERT(!service.empty() && !name.empty());
  method.service = service;
  method.name = name;
  const bool inserted = methods_.emplace(full_name, std::move(method)).second;
  PD_ASSERT(inserted);  // Two rooms claim one method.
}

const MethodRegistry::Method* MethodRegistry::Find(std::string_view full_name) const {
  const auto found = methods_.find(full_name);
  return found == methods_.end() ? nullptr : &found->second;
}

RpcStatus MethodRegistry::Unimplemented(std::string_view full_name) const {
  const auto [service, name] = SplitName(full_name);
  if (service.empty()) {
    return {StatusCode::kUnimplemented, "malformed method name: " + std::string(full_name)};
  }
  for (const auto& [registered, method] : methods_) {
    if (method.service == service) {
      return {StatusCode::kUnimplemented,
              "unknown method " + std::string(name) + " for service " + std::string(service)};
    }
  }
  return {StatusCode::kUnimplemented, "unknown service " + std::string(service)};
}

}  // namespace api
