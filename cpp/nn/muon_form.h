// The numbers of Muon's step.
#pragma once

#include <cstdint>

namespace lamina {

struct MuonForm {
  double a = 3.4445, b = -4.775, c = 2.0315;  // of the iteration
  std::int64_t iterations = 5;
  double rms_rate = 0.2;  // 0: the step is not scaled by the matrix's size
};

}  // namespace lamina
