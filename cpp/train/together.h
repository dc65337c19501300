// Many runs at once, one a thread; those on a device side by side there, on one thread.
#pragma once

#include <exception>
#include <vector>

#include "base/interrupt.h"
#include "train/epochs.h"

namespace lamina {

// Every run gets the bits that it gets alone. An error of one leaves the others running: errors[i] is that of
// runs[i], null where there was none. What the interrupt throws stops all of them, each after a whole step,
// and is thrown here.
std::vector<std::exception_ptr> run_together(Interrupt& interrupt, const std::vector<Epochs*>& runs);

}  // namespace lamina
