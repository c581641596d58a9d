#pragma once

#include <vector>

#include "api/cmd/pdctl/command.h"

namespace api::pdctl {

/// Each group of the command tree, one source file each.
Command StoreCommand();
Command StoresCommand();
Command LabelCommand();
Command RegionCommand();
Command OperatorCommand();
Command SchedulerCommand();
Command SchedulerConfigCommand();
Command ConfigCommand();
Command PlacementRulesCommand();
Command AffinityCommand();
Command HotCommand();
Command MemberCommand();
Command KeyspaceCommand();
Command KeyspaceGroupCommand();
Command MetaServiceGroupCommand();
Command MicroserviceCommand();
Command ResourceManagerCommand();
Command UnsafeCommand();
Command MaintenanceCommand();
Command GcStateCommand();
Command ServiceGcSafepointCommand();

/// cluster, health, ping, tso, log, min-resolved-ts, plugin, completion, exit.
std::vector<Command> ClusterCommands();

}  // namespace api::pdctl
