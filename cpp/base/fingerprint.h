// A number of all bytes of somebody's rows, by which it is seen that they were changed.
#pragma once

#include <cstdint>

#include "base/rows.h"
#include "base/team.h"

namespace lamina {

// The same for the same bytes. One changed element always changes it, several but once in some 2^64 cases.
std::uint64_t fingerprint(Lease& lease, const Rows& rows);

}  // namespace lamina
