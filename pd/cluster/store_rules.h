#pragma once

#include <string>
#include <vector>

#include "pd/config/config_store.h"
#include "pd/result.h"
#include "scheduler/model/store.h"

// What a store must fulfil before it is taken in, and how errors about stores read. Pure.

namespace pd {

/// The checks of PutStore in the reference's order (as in the reference). kInvalidArgument with its text.
/// First id, version, and addresses against the `others` (an entry with the same id is skipped), of
/// the store as it was asked for; then its labels as they would become.
Result<void> CheckStoreIdentity(const scheduler::Store& store,
                                const std::vector<scheduler::Store>& others,
                                const OnlineConfig& config);
Result<void> CheckStoreLabels(const scheduler::Store& store, const OnlineConfig& config);

/// The store's lasting part as the reference prints it: `id:1 address:"a" ... `.
std::string StoreText(const scheduler::Store& store);

/// `[PD:core:ErrStoreNotFound]store 9 not found`, kNotFound.
Error StoreNotFound(scheduler::StoreId id);
/// `[PD:cluster:ErrInvalidStoreID]invalid store id 9, not found`: labels have words of their own.
Error InvalidStoreId(scheduler::StoreId id);

}  // namespace pd
