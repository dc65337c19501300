#include "train/dataset.h"

#include <charconv>
#include <cmath>
#include <vector>

#include "base/error.h"

namespace lamina {
namespace {

constexpr std::int64_t kPollEvery = 1 << 16;  // rows; under a millisecond

// All digits of a label that is to be reported.
std::string digits(double value) {
  char buffer[400];  // the largest double has 309 digits before its point
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed);
  return error == std::errc{} ? std::string(buffer, end) : text(value);
}

}  // namespace

void check_sizes(const Dataset& data, const DataForm& form) {
  require(data.size() > 0, "x: expected at least one row, got none");
  require(data.x.width() == form.inputs, "x: expected ", form.inputs, " values per row, got ",
          data.x.width());
  require(data.y.has_value(), data.y_name, ": expected targets, got none");
  const Rows& y = *data.y;
  require(y.count == data.size(), data.y_name, ": expected as many rows as x has (", data.size(), "), got ",
          y.count);
  const std::int64_t outputs = form.positions * form.features;
  const std::int64_t width = form.labels             ? form.positions
                             : form.target_width > 0 ? form.target_width
                                                     : outputs;
  require(y.width() == width, data.y_name, ": expected ", width,
          form.labels ? " class label(s)" : " value(s)", " per row, got ", y.width());
  if (data.weight.has_value()) {
    const Rows& w = *data.weight;
    require(w.count == data.size(), "sample_weight: expected as many rows as x has (", data.size(), "), got ",
            w.count);
    require(form.weights > 0,
            "sample_weight: expected none for a loss or metric along the axis of the batch, got some: its "
            "rows are not the samples");
    require(w.width() == 1 || w.width() == form.weights, "sample_weight: expected one weight per row, got ",
            w.width());
  }
}

void check(Lease& lease, const Dataset& data, const DataForm& form) {
  check_sizes(data, form);
  if (!form.labels) return;
  const Rows& y = *data.y;
  std::vector<double> row(static_cast<std::size_t>(y.width()));
  for (std::int64_t i = 0; i < y.count; ++i) {
    if (i % kPollEvery == 0) lease.poll();
    read_row(y, i, row.data());
    for (const double label : row) {
      const bool in_range = form.any_label || (label >= 0 && label < static_cast<double>(form.features));
      const bool ignored = form.ignored.has_value() && label == static_cast<double>(*form.ignored);
      const bool holds = (in_range && label == std::floor(label) && std::abs(label) < 0x1p62) || ignored;
      if (!holds)
        throw std::invalid_argument(text(data.y_name, ": expected integer class labels in [0, ",
                                         form.features, "), got ", digits(label), " at index ", i));
    }
  }
}

}  // namespace lamina
