// Learning rate schedules for Python.
#pragma once

#include <memory>

#include "nn/schedule.h"

namespace lamina {

struct BoundSchedule {
  std::shared_ptr<const ScheduleForm> form;  // an optimizer may hold it longer than Python does
};

}  // namespace lamina
