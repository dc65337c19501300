// The persistent kernel: blocks that train a stack of dense layers for many batches in one launch. Each keeps
// its slices of the weights, their gradients and the optimizer's slots in its memory from the first batch to
// the last; between blocks go only sums over slices (stack_plan.h). The loss is computed by every block for
// itself.
#pragma once

#include "backend/cuda/stack_block.h"

namespace lamina::cuda {

template <class T, class X>
struct StackKernel {
  const StackTask<T>* tasks;

  LAMINA_DEVICE void operator()(Grid& grid, int group) const {
    const StackTask<T>& task = tasks[group];
    const std::int64_t steps = task.steps;
    const int ops = task.ops, capacity = task.capacity;
    std::uint64_t waits = 0;  // after which of a step's ops
    for (int k = 0; k < ops; ++k) waits |= std::uint64_t{task.op[k].waits} << k;
    // f(step, op) from there to the next wait or the end.
    const auto each = [=](std::int64_t step, int op, auto&& f) {
      for (bool waited = false; step < steps && !waited;) {
        f(step, op);
        waited = waits >> op & 1;
        if (++op < ops) continue;
        op = 0;
        ++step;
      }
    };
    for (std::int64_t step = 0, op = 0; step < steps;) {
      grid.each_block([&](const Block& block) {
        const bool first = step == 0 && op == 0;
        if (first) copy(task, block);
        StackBlock<T, X> here(block, capacity);
        if (first) here.load();
        here.begin(step);
        each(step, static_cast<int>(op), [&](std::int64_t s, int o) {
          if (o == 0) here.begin(s);
          here.act(o);
          if (o + 1 == ops && s + 1 == steps) here.store();
        });
      });
      std::int64_t last_step = step, last_op = op;
      each(step, static_cast<int>(op), [&](std::int64_t s, int o) {
        last_step = s;
        last_op = o;
      });
      op = last_op + 1;
      step = last_step;
      if (op == ops) {
        op = 0;
        ++step;
      }
    }
  }

  LAMINA_DEVICE static void copy(const StackTask<T>& task, const Block& block) {
    const auto* const from = reinterpret_cast<const unsigned char*>(&task);
    block.each_thread([&](int t) {
      for (int e = t; e < static_cast<int>(sizeof task); e += block.threads) block.memory[e] = from[e];
    });
  }
};

}  // namespace lamina::cuda
