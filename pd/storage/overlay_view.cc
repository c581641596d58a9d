#include "pd/storage/overlay_view.h"

#include <utility>

#include "scheduler/model/assert.h"

namespace pd {
namespace {

/// Merges the base with the writes of the batch; a write hides the base's entry of the same key.
class OverlayCursor final : public Cursor {
 public:
  OverlayCursor(std::unique_ptr<Cursor> base, const WriteBatch& batch, Column column)
      : base_(std::move(base)),
        batch_(batch),
        column_(column),
        writes_(batch.writes(column)),
        write_(writes_.end()) {}

  void Seek(std::string_view target) override {
    base_->Seek(target);
    write_ = writes_.lower_bound(target);
    Settle();
  }

  void Next() override {
    PD_ASSERT(Valid());
    if (at_write_) {
      ++write_;
    } else {
      base_->Next();
    }
    Settle();
  }

  [[nodiscard]] bool Valid() const override {
    return base_->Check().has_value() && (at_write_ || base_->Valid());
  }
  [[nodiscard]] std::string_view key() const override {
    return at_write_ ? std::string_view(write_->first) : base_->key();
  }
  [[nodiscard]] std::string_view value() const override {
    return at_write_ ? std::string_view(*write_->second) : base_->value();
  }
  [[nodiscard]] Result<void> Check() const override { return base_->Check(); }

 private:
  /// Stands on the smaller of the two, skipping what the batch hides or deletes.
  void Settle() {
    at_write_ = false;
    for (;;) {
      const bool base = base_->Valid();
      const bool write = write_ != writes_.end();
      if (base && batch_.RangeDeleted(column_, base_->key())) {
        base_->Next();
        continue;
      }
      if (!write || (base && base_->key() < write_->first)) return;
      if (base && base_->key() == write_->first) base_->Next();
      if (write_->second) {
        at_write_ = true;
        return;
      }
      ++write_;
    }
  }

  std::unique_ptr<Cursor> base_;
  const WriteBatch& batch_;
  Column column_;
  const WriteBatch::Writes& writes_;
  WriteBatch::Writes::const_iterator write_;
  bool at_write_ = false;
};

}  // namespace

Result<std::optional<std::string>> OverlayView::Get(Column column, std::string_view key) const {
  const auto& writes = batch_.writes(column);
  if (const auto found = writes.find(key); found != writes.end()) return found->second;
  if (batch_.RangeDeleted(column, key)) return std::optional<std::string>();
  return base_.Get(column, key);
}

std::unique_ptr<Cursor> OverlayView::NewCursor(Column column) const {
  return std::make_unique<OverlayCursor>(base_.NewCursor(column), batch_, column);
}

}  // namespace pd
