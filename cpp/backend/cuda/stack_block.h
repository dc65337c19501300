// What a block does in a step of the persistent kernel; see stack_kernel.h and, for who has what,
// stack_plan.h.
#pragma once

#include <cstring>

#include "backend/cuda/grid.h"
#include "backend/cuda/small_product.h"
#include "backend/cuda/stack_exchange.h"
#include "backend/cuda/stack_loss.h"
#include "backend/cuda/stack_plan.h"

#define LAMINA_ISA device_kernels
#include "kernels/optimizers.h"

namespace lamina::cuda {

// How x is read: numbers of S where they lie, or of any type.
template <class S>
struct Plainly {
  template <class T>
  LAMINA_DEVICE static T at(const Packed& rows, std::int64_t row, int j) {
    return static_cast<T>(reinterpret_cast<const S*>(rows.data + row * rows.stride)[j]);
  }
};
struct Generally {
  template <class T>
  LAMINA_DEVICE static T at(const Packed& rows, std::int64_t row, int j) {
    return rows.template at<T>(row, j);
  }
};

// A block at its work, in one step.
template <class T, class X>
class StackBlock {
 public:
  LAMINA_DEVICE StackBlock(const Block& block, int capacity)
      : block_(block),
        task_(*block.shared<StackTask<T>>()),
        places_(capacity),
        rows_(reinterpret_cast<std::int64_t*>(block.memory + places_.rows)),
        labels_(reinterpret_cast<std::int64_t*>(block.memory + places_.labels)),
        values_(reinterpret_cast<T*>(block.memory + places_.values)) {}

  LAMINA_DEVICE void begin(std::int64_t step) {
    step_ = step;
    first_ = task_.first + step * task_.batch_size;
    const std::int64_t left = task_.end - first_;
    count_ = static_cast<int>(left < task_.batch_size ? left : task_.batch_size);
  }

  // Once, before the first step.
  LAMINA_DEVICE void load() const {
    const int copies = 2 + 3;
    for (int copy = 0; copy < copies; ++copy)
      if (copy < 2 || task_.copy_at[copy] > 0)
        block_.each_thread([&](int t) {  // what is between the rows stays zero under every rule
          for (int e = t; e < task_.parameters; e += block_.threads) values_[task_.copy_at[copy] + e] = T(0);
        });
    each_copy([&](T* here, T* there) { *here = *there; }, false);
  }
  // Once, behind the last. What all blocks have is one's to write.
  LAMINA_DEVICE void store() const {
    each_copy([&](T* here, T* there) { *there = *here; }, true);
  }

  LAMINA_DEVICE void act(int number) const {
    const Op op = task_.op[number];
    switch (op.act) {
      case Act::kForward:
        if (op.layer == 0) take_in();
        if (op.layer == 0 && task_.x_drops.any) draw_kept();
        return forward(op.layer);
      case Act::kSumForward:
        return exchange().sum_by_turns(task_.layer[op.layer], task_.layer[op.layer].units);
      case Act::kEndForward:
        return end_forward(op.layer);
      case Act::kLoss:
        return loss();
      case Act::kBackward:
        return backward(op.layer);
      case Act::kSumBackward:
        return exchange().sum_by_turns(task_.layer[op.layer], task_.layer[op.layer].inputs);
      case Act::kEndBackward:
        return end_backward(op.layer);
      case Act::kStep:
        return take_step();
    }
  }

 private:
  // How many slices of a layer this block works on, and which.
  LAMINA_DEVICE int slices(const SharedLayer& layer) const {
    if (layer.share == Share::kWhole) return 1;
    return static_cast<int>((layer.slices - 1 - block_.index) / block_.count) + 1;
  }
  LAMINA_DEVICE int slice(int k) const { return static_cast<int>(block_.index + k * block_.count); }

  // f(here, there) for every parameter of this block's and every copy of it.
  template <class F>
  LAMINA_DEVICE void each_copy(const F& f, bool once) const {
    block_.each_thread([&](int t) {
      for (int copy = 0; copy < 2 + 3; ++copy) {
        T* const flat = task_.flat[copy];
        if (flat == nullptr) continue;
        T* const mine = values_ + task_.copy_at[copy];
        for (int l = 0; l < task_.layers; ++l) {
          const SharedLayer& layer = task_.layer[l];
          const bool skipped = once && block_.index > 0;
          for (int k = 0; k < slices(layer); ++k) {
            const int u0 = layer.first_unit(slice(k)), units = layer.end_unit(slice(k)) - u0;
            const int i0 = layer.first_input(slice(k)), inputs = layer.end_input(slice(k)) - i0;
            if (skipped && layer.share == Share::kWhole) continue;
            for (int e = t; e < units * inputs; e += block_.threads)
              f(mine + layer.w_at + k * layer.w_each + e / inputs * layer.pitch + e % inputs,
                flat + layer.w + (u0 + e / inputs) * layer.stride + i0 + e % inputs);
            if (layer.b < 0 || (layer.share != Share::kSplit && (skipped || k > 0))) continue;
            for (int u = t; u < units; u += block_.threads)
              f(mine + layer.b_at + k * layer.b_each + u, flat + layer.b + u0 + u);
          }
        }
      }
    });
  }

  // Where the batch's rows are, their targets, and the step's numbers.
  LAMINA_DEVICE void take_in() const {
    const auto row = [&](std::int64_t i) { return task_.order != nullptr ? task_.order[i] : i; };
    block_.each_thread([&](int t) {
      const int width = task_.layer[task_.layers - 1].units;
      for (int i = t; i < count_; i += block_.threads) {
        rows_[i] = row(first_ + i);
        if (task_.labels) labels_[i] = task_.range.held(task_.y.template at<double>(rows_[i], 0));
        if (task_.weighted) values_[task_.weights_at + i] = task_.weights.template at<T>(rows_[i], 0);
      }
      for (int e = t; !task_.labels && e < count_ * width; e += block_.threads)
        values_[task_.targets_at + e] = task_.y.template at<T>(row(first_ + e / width), e % width);
      const auto* const from = reinterpret_cast<const unsigned char*>(task_.forms + step_);
      for (int e = t; e < static_cast<int>(sizeof(StepForm<T>)); e += block_.threads)
        block_.memory[places_.form + e] = from[e];
      // The next batch, each block a part of it.
      constexpr int line = 128;
      const std::int64_t next = first_ + count_, lines = (task_.x.stride - 1) / line + 1;
      const std::int64_t rows_then =
          task_.end - next < task_.batch_size ? task_.end - next : task_.batch_size;
      for (std::int64_t e = block_.index * block_.threads + t; e < rows_then * lines;
           e += block_.count * block_.threads)
        prefetch(task_.x.data + row(next + e / lines) * task_.x.stride + e % lines * line);
    });
  }

  LAMINA_DEVICE T x_at(int i, int j) const {
    const T given = X::template at<T>(task_.x, rows_[i], j);
    const T x = task_.rescales ? task_.rescale(given) : given;
    if (!task_.x_drops.any) return x;
    const int e = i * task_.layer[0].inputs + j;
    return x * (kept()[e / 4] >> e % 4 & 1 ? task_.x_drops.kept : T(0));
  }
  // What of the input is kept: of this block's part of it.
  LAMINA_DEVICE unsigned char* kept() const {
    return reinterpret_cast<unsigned char*>(values_ + task_.kept_at);
  }
  LAMINA_DEVICE void draw_kept() const {
    const SharedLayer& layer = task_.layer[0];
    for (int k = 0; k < (layer.share == Share::kJoin ? slices(layer) : 1); ++k) {
      const int first = layer.first_input(slice(k)), last = layer.end_input(slice(k));
      const int fours = (last - first) / 4 + 2;  // that a row's numbers lie in, at most
      block_.each_thread([&](int t) {
        for (int e = t; e < count_ * fours; e += block_.threads) {
          const int row = e / fours * layer.inputs, four = (row + first) / 4 + e % fours;
          if (four * 4 < row + last)
            kept()[four] = static_cast<unsigned char>(task_.x_drops.bits(task_.step + step_, four));
        }
      });
    }
  }
  // f(input), input(i, k) being number k of row i of what slice k of layer l sees.
  template <class F>
  LAMINA_DEVICE void with_input(int l, int k, const F& f) const {
    if (l == 0) {
      const int first = task_.layer[0].first_input(slice(k));
      f([&](int i, int j) { return x_at(i, first + j); });
    } else {
      const SharedLayer& below = task_.layer[l - 1];
      const T* const y = values_ + below.y_at + k * below.y_each;
      const int pitch = below.y_pitch;
      f([=](int i, int j) { return y[i * pitch + j]; });
    }
  }
  LAMINA_DEVICE StackExchange<T> exchange() const { return {block_, task_, values_, step_, count_}; }
  // f(i, j, sum) for all of them.
  template <class F>
  LAMINA_DEVICE void each_sum_of_slices(const SharedLayer& layer, int numbers, const F& f) const {
    block_.each_thread([&](int t) {
      for (int e = t; e < count_ * numbers; e += block_.threads)
        f(e / numbers, e % numbers, exchange().sum(layer, numbers, e));
    });
  }

  // What comes out of a layer; of the last one, what goes into its activation.
  LAMINA_DEVICE void put_out(int l, int k, int i, int o, T sum) const {
    const SharedLayer& layer = task_.layer[l];
    const T z = layer.b >= 0 ? sum + values_[layer.b_at + k * layer.b_each + o] : sum;
    if (l == task_.layers - 1) {
      values_[task_.logits_at + i * layer.y_pitch + o] = z;
      return;
    }
    const int at = k * layer.y_each + i * layer.y_pitch + o;
    const T y = formulas::activated(layer.a, z);
    if (task_.drops[l].any) values_[layer.whole_at + at] = y;
    values_[layer.y_at + at] = task_.drops[l].any ? y * factor(l, k, i, o) : y;
  }
  // By which a number of layer l's output is multiplied, where some of it is dropped.
  LAMINA_DEVICE T factor(int l, int k, int i, int o) const {
    const SharedLayer& layer = task_.layer[l];
    return task_.drops[l].factor(task_.step + step_, i * layer.units + layer.first_unit(slice(k)) + o);
  }
  LAMINA_DEVICE void forward(int l) const {
    const SharedLayer& layer = task_.layer[l];
    for (int k = 0; k < slices(layer); ++k) {
      const int units = layer.end_unit(slice(k)) - layer.first_unit(slice(k)),
                inputs = layer.end_input(slice(k)) - layer.first_input(slice(k));
      const T* const w = values_ + layer.w_at + k * layer.w_each;
      with_input(l, k, [&](const auto& input) {
        small_product<T>(
            block_, values_ + task_.parts_at, count_, units, inputs, input,
            [&](int o, int j) { return w[o * layer.pitch + j]; },
            [&](int i, int o, T sum) {
              if (layer.share == Share::kJoin)
                exchange().put(layer, slice(k), k, layer.units, i * layer.units + o, sum);
              else
                put_out(l, k, i, o, sum);
            });
      });
    }
  }
  LAMINA_DEVICE void end_forward(int l) const {
    const SharedLayer& layer = task_.layer[l];
    each_sum_of_slices(layer, layer.units, [&](int i, int o, T sum) { put_out(l, 0, i, o, sum); });
  }

  // The gradient at the logits of layer l's activation.
  LAMINA_DEVICE T* d(int l) const { return values_ + task_.d_at[(task_.layers - 1 - l) % 2]; }

  LAMINA_DEVICE void put_back(int l, int k, int i, int j, T sum) const {
    const SharedLayer& below = task_.layer[l - 1];
    const int at = k * below.y_each + i * below.y_pitch + j;
    const T dy = task_.drops[l - 1].any ? sum * factor(l - 1, k, i, j) : sum;
    d(l - 1)[at] = below.a == Activation::kLinear
                       ? dy
                       : dy * formulas::derivative_from_output(below.a, values_[below.whole_at + at]);
  }
  LAMINA_DEVICE void backward(int l) const {
    const SharedLayer& layer = task_.layer[l];
    T* const parts = values_ + task_.parts_at;
    for (int k = 0; k < slices(layer); ++k) {
      const int units = layer.end_unit(slice(k)) - layer.first_unit(slice(k)),
                inputs = layer.end_input(slice(k)) - layer.first_input(slice(k));
      const T* const w = values_ + layer.w_at + k * layer.w_each;
      const T* const dz = d(l) + k * layer.y_each;
      if (l > 0)
        small_product<T>(
            block_, parts, count_, inputs, units, [&](int i, int o) { return dz[i * layer.y_pitch + o]; },
            [&](int j, int o) { return w[o * layer.pitch + j]; },
            [&](int i, int j, T sum) {
              if (layer.share == Share::kSplit)
                exchange().put(layer, slice(k), k, layer.inputs, i * layer.inputs + j, sum);
              else
                put_back(l, k, i, j, sum);
            });
      // With a column of ones behind the input's.
      const bool biased = layer.b >= 0 && layer.share != Share::kJoin;
      T* const dw = values_ + task_.copy_at[1] + layer.w_at + k * layer.w_each;
      T* const db = values_ + task_.copy_at[1] + layer.b_at + k * layer.b_each;
      with_input(l, k, [&](const auto& input) {
        small_product<T>(
            block_, parts, units, inputs + (biased ? 1 : 0), count_,
            [&](int o, int i) { return dz[i * layer.y_pitch + o]; },
            [&](int j, int i) { return j < inputs ? input(i, j) : T(1); },
            [&](int o, int j, T sum) { (j < inputs ? dw[o * layer.pitch + j] : db[o]) = sum; });
      });
    }
    // A bias that all blocks have takes the same sum in each, however many inputs its slices have.
    if (layer.b < 0 || layer.share != Share::kJoin) return;
    small_product<T>(
        block_, parts, layer.units, 1, count_, [&](int o, int i) { return d(l)[i * layer.y_pitch + o]; },
        [](int, int) { return T(1); },
        [&](int o, int, T sum) { values_[task_.copy_at[1] + layer.b_at + o] = sum; });
  }
  LAMINA_DEVICE void end_backward(int l) const {
    const SharedLayer& layer = task_.layer[l];
    each_sum_of_slices(layer, layer.inputs, [&](int i, int j, T sum) { put_back(l, 0, i, j, sum); });
  }

  LAMINA_DEVICE void loss() const {
    const SharedLayer& last = task_.layer[task_.layers - 1];
    StackLoss<T>{block_, task_, places_, {d(task_.layers - 1), count_, last.units, last.y_pitch}, step_}
        .find();
  }

  // The optimizer's rule, number by number.
  LAMINA_DEVICE void take_step() const {
    Update<T> update;
    update.kind = task_.optimizer;
    update.form = *reinterpret_cast<const StepForm<T>*>(block_.memory + places_.form);
    update.w = values_;
    update.dw = values_ + task_.copy_at[1];
    for (int k = 0; k < 3; ++k)
      update.slots[k] = task_.copy_at[2 + k] > 0 ? values_ + task_.copy_at[2 + k] : nullptr;
    block_.each_thread([&](int t) {
      for (int e = t; e < task_.parameters; e += block_.threads)
        LAMINA_ISA::update_range(update, update.dw + e, 1);
    });
  }

  const Block& block_;
  const StackTask<T>& task_;
  std::int64_t step_ = 0, first_ = 0;
  int count_ = 0;
  StackMemory<T> places_;
  std::int64_t* rows_;
  std::int64_t* labels_;
  T* values_;
};

}  // namespace lamina::cuda
