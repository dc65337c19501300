// The data of a fit: views of the user's arrays, checked once before anything changes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/rows.h"
#include "base/team.h"
#include "base/unique_number.h"

namespace lamina {

struct Dataset {
  Rows x;
  std::optional<Rows> y;
  std::optional<Rows> weight;
  std::string y_name = "y";                // in messages
  std::uint64_t number = unique_number();  // tells one from others, also from one that was where it is now

  std::int64_t size() const { return x.count; }
};

// What a network and a loss ask of the data.
struct DataForm {
  std::int64_t inputs = 0;              // values per sample
  std::int64_t positions = 1;           // per sample
  std::int64_t features = 0;            // outputs per position
  bool labels = false;                  // one class number per position, not one value per output
  bool any_label = false;               // class numbers are not those of the outputs
  std::optional<std::int64_t> ignored;  // a class number that is taken besides those of the outputs
  std::int64_t target_width = 0;        // values per sample; 0: one per output
  std::int64_t weights = 1;             // that a sample may have, beside a single one; 0: it may have none
};

// std::invalid_argument that names what does not fit. Quick: sizes only.
void check_sizes(const Dataset& data, const DataForm& form);
// Class numbers too, each with its value and row. The lease is polled on the way.
void check(Lease& lease, const Dataset& data, const DataForm& form);

}  // namespace lamina
