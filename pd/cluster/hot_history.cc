#include "pd/cluster/hot_history.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <system_error>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "scheduler/model/hex.h"

namespace pd {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using scheduler::LoadDim;

constexpr int64_t kMsPerDay = int64_t{24} * 3600 * 1000;
constexpr const char* kSuffix = ".jsonl";

std::string DayOf(int64_t unix_ms) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(unix_ms / 1000)));
}

std::string LineOf(const HotRecord& record) {
  const Json json = {{"t", record.unix_ms},
                     {"region", record.region.value},
                     {"peer", record.peer.value},
                     {"store", record.store.value},
                     {"leader", record.leader},
                     {"learner", record.learner},
                     {"read", record.access == scheduler::Access::kRead},
                     {"degree", record.degree},
                     {"load", record.load.of},
                     {"start", scheduler::UpperHex(record.start_key)},
                     {"end", scheduler::UpperHex(record.end_key)}};
  return json.dump() + "\n";
}

/// Nothing of a line that is not whole, as the last one after a crash.
std::optional<HotRecord> RecordOf(const std::string& line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return {};
  try {
    HotRecord record;
    record.unix_ms = json.at("t").get<int64_t>();
    record.region = {json.at("region").get<uint64_t>()};
    record.peer = {json.at("peer").get<uint64_t>()};
    record.store = {json.at("store").get<uint64_t>()};
    record.leader = json.at("leader").get<bool>();
    record.learner = json.at("learner").get<bool>();
    record.access =
        json.at("read").get<bool>() ? scheduler::Access::kRead : scheduler::Access::kWrite;
    record.degree = json.at("degree").get<int>();
    record.load.of = json.at("load").get<decltype(record.load.of)>();
    const auto start = scheduler::FromHex(json.at("start").get<std::string>());
    const auto end = scheduler::FromHex(json.at("end").get<std::string>());
    if (!start || !end) return {};
    record.start_key = *start;
    record.end_key = *end;
    return record;
  } catch (const Json::exception&) {
    return {};
  }
}

/// The last line was cut off, by a crash or a full disk: what is written next must not become part of it.
bool EndsTorn(const fs::path& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in || in.tellg() <= 0) return false;
  in.seekg(-1, std::ios::end);
  return in.get() != '\n';
}

/// Keeps the first records of those that come, by time: the clock may have been set back within a day.
class PageMaker {
 public:
  explicit PageMaker(size_t records_max)
      : records_max_(records_max), cut_at_(2 * records_max + 1) {}

  void Add(HotRecord record) {
    if (IsFull() && record.unix_ms >= *page_.next_ms) return;
    page_.records.push_back(std::move(record));
    if (page_.records.size() >= cut_at_) Cut();
  }
  /// Leaves what belongs to the page of what has come so far.
  void Cut() {
    std::vector<HotRecord>& records = page_.records;
    std::ranges::stable_sort(records, {}, &HotRecord::unix_ms);
    if (records.size() > records_max_) {
      const auto end = std::ranges::upper_bound(records, records[records_max_ - 1].unix_ms, {},
                                                &HotRecord::unix_ms);
      if (end != records.end()) page_.next_ms = end->unix_ms;
      records.erase(end, records.end());
    }
    cut_at_ = std::max(2 * records_max_ + 1, 2 * records.size());  // One moment may bring many.
  }
  /// There are more than the page holds.
  [[nodiscard]] bool IsFull() const { return page_.next_ms.has_value(); }
  HotHistory::Page Take() { return std::move(page_); }

 private:
  const size_t records_max_;
  size_t cut_at_;
  HotHistory::Page page_;
};

}  // namespace

std::vector<HotHistory::Day> HotHistory::Days() const {
  std::vector<Day> days;
  std::error_code failed;
  // A step that fails ends the walk.
  for (fs::directory_iterator it(folder_, failed); !failed && it != fs::directory_iterator();
       it.increment(failed)) {
    if (it->path().extension() != kSuffix) continue;
    std::error_code unknown;
    const uintmax_t bytes = it->file_size(unknown);
    days.push_back({it->path().stem().string(), unknown ? 0 : bytes});
  }
  std::ranges::sort(days, {}, &Day::name);
  return days;
}

Result<void> HotHistory::Append(int64_t unix_ms, const std::vector<HotRecord>& records) {
  if (folder_.empty() || records.empty()) return {};
  std::string lines;
  for (const HotRecord& record : records) lines += LineOf(record);
  const MutexLock lock(mutex_);
  std::error_code failed;
  fs::create_directories(folder_, failed);
  const std::string today = DayOf(unix_ms);
  uint64_t total = lines.size();
  uint64_t of_today = lines.size();
  std::vector<Day> days = Days();
  for (const Day& day : days) {
    total += day.bytes;
    if (day.name == today) of_today += day.bytes;
  }
  if (of_today > bytes_max_) {
    return Fail(ErrorCode::kUnavailable, fmt::format("{} would pass {} bytes, the most for a day",
                                                     PathOf(today).string(), bytes_max_));
  }
  for (const Day& day : days) {
    if (total <= bytes_max_ || day.name == today) break;
    fs::remove(PathOf(day.name), failed);
    total -= day.bytes;
  }
  std::ofstream out(PathOf(today), std::ios::app | std::ios::binary);
  if (EndsTorn(PathOf(today))) out << '\n';
  out << lines;
  out.flush();
  if (out.good()) return {};
  return Fail(ErrorCode::kIo, fmt::format("cannot write {}", PathOf(today).string()));
}

void HotHistory::Prune(int64_t unix_ms, uint64_t days) {
  if (folder_.empty()) return;
  const auto kept = static_cast<int64_t>(std::min<uint64_t>(days, 36'500));
  const std::string first = DayOf(std::max<int64_t>(unix_ms - kept * kMsPerDay, 0));
  const MutexLock lock(mutex_);
  for (const Day& day : Days()) {
    if (days > 0 && day.name >= first) break;
    std::error_code failed;
    fs::remove(PathOf(day.name), failed);
  }
}

HotHistory::Page HotHistory::Read(int64_t from_ms, int64_t to_ms,
                                  const std::function<bool(const HotRecord&)>& wanted) const {
  if (folder_.empty()) return {};
  std::vector<Day> days;
  {
    const MutexLock lock(mutex_);
    days = Days();
  }
  PageMaker maker(page_max_);
  const std::string first = DayOf(std::max<int64_t>(from_ms, 0));
  const std::string last = DayOf(std::clamp<int64_t>(to_ms, 0, kMsPerDay * 365 * 1000));
  for (const Day& day : days) {
    if (day.name < first || day.name > last) continue;
    std::ifstream in(PathOf(day.name), std::ios::binary);
    for (std::string line; std::getline(in, line);) {
      auto record = RecordOf(line);
      if (!record || record->unix_ms < from_ms || record->unix_ms > to_ms) continue;
      if (wanted(*record)) maker.Add(*std::move(record));
    }
    maker.Cut();
    if (maker.IsFull()) break;  // The days behind are later.
  }
  return maker.Take();
}

}  // namespace pd
