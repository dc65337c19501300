// The one way a bad argument is reported from C++: std::invalid_argument, which Python sees as ValueError.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace lamina {

template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

// require(units > 0, "units: expected a positive number, got ", units)
template <class... Parts>
void require(bool holds, const Parts&... message) {
  if (!holds) throw std::invalid_argument(text(message...));
}

}  // namespace lamina
