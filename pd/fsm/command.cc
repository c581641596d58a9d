#include "pd/fsm/command.h"

#include <utility>

namespace pd {

Compare Compare::Absent(std::string key) {
  return {Target::kCreateRevision, Relation::kEqual, std::move(key), "", 0, ""};
}
Compare Compare::ValueIs(std::string key, std::string value) {
  return {Target::kValue, Relation::kEqual, std::move(key), "", 0, std::move(value)};
}
Compare Compare::ModRevisionIs(std::string key, Revision revision) {
  return {Target::kModRevision, Relation::kEqual, std::move(key), "", revision, ""};
}

KvTxn& KvTxn::If(Compare compare) {
  compares.push_back(std::move(compare));
  return *this;
}

KvTxn& KvTxn::Put(std::string key, std::string value, LeaseId lease) {
  PutRequest put;
  put.key = std::move(key);
  put.value = std::move(value);
  put.lease = lease;
  then.emplace_back(std::move(put));
  return *this;
}

KvTxn& KvTxn::Delete(std::string key, std::string range_end) {
  DeleteRequest request;
  request.key = std::move(key);
  request.range_end = std::move(range_end);
  then.emplace_back(std::move(request));
  return *this;
}

}  // namespace pd
