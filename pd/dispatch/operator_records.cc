#include "pd/dispatch/operator_records.h"

#include <algorithm>
#include <utility>

namespace pd {

void OperatorRecords::Add(OperatorInfo info, Stamp ended) {
  info.ended = ended;
  int64_t latest_unix_ns = ended.unix_ns;
  if (!records_.empty()) latest_unix_ns = std::max(latest_unix_ns, records_.back().latest_unix_ns);
  latest_[info.op.plan().region] = first_ + records_.size();
  records_.push_back({std::move(info), ended.monotonic, latest_unix_ns});
  if (records_.size() > kMax) DropOldest();
}

void OperatorRecords::DropOldest() {
  const auto last = latest_.find(records_.front().info.op.plan().region);
  if (last != latest_.end() && last->second == first_) latest_.erase(last);
  records_.pop_front();
  ++first_;
}

void OperatorRecords::DropEndedBefore(Nanos monotonic) {
  while (!records_.empty() && records_.front().ended < monotonic) DropOldest();
}

void OperatorRecords::Clear() {
  first_ += records_.size();
  records_.clear();
  latest_.clear();
}

const OperatorInfo* OperatorRecords::Latest(scheduler::RegionId region) const {
  const auto last = latest_.find(region);
  return last == latest_.end() ? nullptr : &records_[last->second - first_].info;
}

uint64_t OperatorRecords::NumberFrom(int64_t unix_ns) const {
  const auto from = std::ranges::lower_bound(records_, unix_ns, {}, &Record::latest_unix_ns);
  return first_ + static_cast<uint64_t>(from - records_.begin());
}

std::vector<OperatorInfo> OperatorRecords::Read(uint64_t* number, size_t most) const {
  *number = std::max(*number, first_);
  std::vector<OperatorInfo> infos;
  while (infos.size() < most && *number < first_ + records_.size()) {
    infos.push_back(records_[*number - first_].info);
    ++*number;
  }
  return infos;
}

}  // namespace pd
