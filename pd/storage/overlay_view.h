#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "pd/storage/database.h"

namespace pd {

/// A view as it will be once `batch` is written: lets a command see what earlier commands of the
/// same batch did. Both must outlive this. A cursor must not be used across a change of the batch.
class OverlayView final : public ReadView {
 public:
  OverlayView(const ReadView& base, const WriteBatch& batch) : base_(base), batch_(batch) {}

  [[nodiscard]] Result<std::optional<std::string>> Get(Column column,
                                                       std::string_view key) const override;
  [[nodiscard]] std::unique_ptr<Cursor> NewCursor(Column column) const override;

 private:
  const ReadView& base_;
  const WriteBatch& batch_;
};

}  // namespace pd
