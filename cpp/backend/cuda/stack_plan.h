// How a stack of dense layers is shared out among blocks that keep its weights for a whole training.
//
// A layer's units, or its inputs, are cut into slices, the same number for every layer; each block has one or
// more. What a block knows of a layer's output is its own slices' part or the whole:
//   split: its own units of a whole input; on the way back the input's gradient is a sum over slices;
//   join: the part of its own inputs in a whole output, which is a sum over slices;
//   whole: the same in every block.
// A sum over slices is taken in their order by every block (or, where it is long, each by one block for all),
// so that bits depend on the number of slices, which follows from the shape alone, and not on that of blocks.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/cuda/packed.h"
#include "backend/stack.h"
#include "base/random.h"

namespace lamina::cuda {

inline constexpr int kMostLayers = 8, kMostMetrics = 4, kMostSlices = 128;

enum class Share { kSplit, kJoin, kWhole };

// An estimate of a step, if a block has one slice.
struct StackClocks {
  double all = 0;
  double cut = 0;  // of these, what a block with more slices does for each
  int waits = 0;
};

struct StackPlan {
  int slices = 1;
  std::vector<Share> shares;
  std::vector<bool> by_turns;  // of each layer: its sum is taken by one block for all
  StackClocks clocks;
};

// The quickest by an estimate; widths: the inputs of the first layer, then the units of each.
StackPlan plan_of(const std::vector<std::int64_t>& widths);
// The estimate for blocks with so many slices, which are a cluster or not.
double clocks_of(const StackPlan& plan, std::int64_t each, bool cluster);

// What a block does in a step, one after another.
enum class Act { kForward, kSumForward, kEndForward, kLoss, kBackward, kSumBackward, kEndBackward, kStep };

struct Op {
  Act act = Act::kStep;
  int layer = 0;
  bool waits = false;  // for all blocks, once it is done
};

// A layer as a block sees it. Places are elements of T in its memory.
struct SharedLayer {
  Share share = Share::kWhole;
  Activation a = Activation::kLinear;
  int inputs = 0, units = 0, slices = 1;
  std::int64_t w = 0, stride = 0, b = -1;  // in the flat block
  int w_at = 0, w_each = 0, pitch = 0;     // from slice to slice, and from row to row
  int b_at = 0, b_each = 0;
  int y_at = 0, y_each = 0, y_pitch = 0;  // the output; gradients are laid out alike
  int whole_at = 0;                       // the same before some of it is dropped
  std::int64_t exchange_at = 0;           // in the memory for exchange
  int here_at = 0, turns_at = 0;          // in a block's part of it, and there the sums that it takes for all
  bool by_turns = false;

  // Where a slice's part of n begins.
  LAMINA_HOST_DEVICE int first(int n, int slice) const {
    return static_cast<int>(std::int64_t{n} * slice / slices);
  }
  LAMINA_HOST_DEVICE int first_unit(int slice) const {
    return share == Share::kSplit ? first(units, slice) : 0;
  }
  LAMINA_HOST_DEVICE int end_unit(int slice) const {
    return share == Share::kSplit ? first(units, slice + 1) : units;
  }
  LAMINA_HOST_DEVICE int first_input(int slice) const {
    return share == Share::kJoin ? first(inputs, slice) : 0;
  }
  LAMINA_HOST_DEVICE int end_input(int slice) const {
    return share == Share::kJoin ? first(inputs, slice + 1) : inputs;
  }
};

// What is dropped of the input, or of a layer's output.
template <class T>
struct Drops {
  bool any = false;
  std::uint32_t stream = 0;
  std::uint64_t seed = 0, threshold = 0;  // a word below it drops
  T kept = 1;

  // Number e's factor in a step: as the verb dropout_mask draws it.
  LAMINA_HOST_DEVICE T factor(std::uint64_t step, std::int64_t e) const {
    return bits(step, e / 4) >> e % 4 & 1u ? kept : T(0);
  }
  // Of four numbers which are kept.
  LAMINA_HOST_DEVICE unsigned bits(std::uint64_t step, std::int64_t four) const {
    const PhiloxBlock words =
        RandomStream{seed, Purpose::kDropout, stream, step}.block(static_cast<std::uint64_t>(four));
    return (words[0] < threshold ? 0u : 1u) | (words[1] < threshold ? 0u : 2u) |
           (words[2] < threshold ? 0u : 4u) | (words[3] < threshold ? 0u : 8u);
  }
};

// All that the blocks of one stack are told; they copy it into their own memory.
template <class T>
struct StackTask {
  int layers = 0, slices = 1, ops = 0;
  SharedLayer layer[kMostLayers];
  Op op[4 * kMostLayers + 2];
  int parameters = 0;       // of a block, with the padding
  T* flat[2 + 3] = {};      // the block's copies of them: weights, gradients (null), slots (null: none)
  int copy_at[2 + 3] = {};  // of a slot that is none: 0
  int d_at[2] = {}, logits_at = 0, targets_at = 0, rows_at = 0, parts_at = 0;
  int weights_at = 0, kept_at = 0;  // kept: a byte for four numbers of the input
  int capacity = 0;
  T* exchange = nullptr;
  std::int64_t exchange_size = 0;   // of a step; steps take two in turn
  int here_at = -1, here_size = 0;  // the same in the memory of a cluster's blocks; -1: it is not there

  Packed x, y;
  Rescale<T> rescale;
  bool rescales = false, labels = false, at_logits = false, from_mean = true, softmax = false;
  Packed weights;
  bool weighted = false, by_weights = false;
  Drops<T> x_drops, drops[kMostLayers];
  std::uint64_t step = 0;  // the first one's number
  LabelRange range;
  LossForm<T> loss;
  double loss_weight = 1;
  int metrics = 0;
  StackMetric<T> metric[kMostMetrics];
  OptimizerKind optimizer = OptimizerKind::kSgd;

  const std::int64_t* order = nullptr;
  std::int64_t first = 0, end = 0, batch_size = 0, steps = 0;
  const StepForm<T>* forms = nullptr;
  double* numbers = nullptr;
  std::int64_t width = 0;
};

// A block's memory, behind the task: numbers of eight bytes, the step's form, and then numbers of T.
template <class T>
struct StackMemory {
  explicit LAMINA_HOST_DEVICE StackMemory(int capacity)
      : rows(aligned(std::int64_t{sizeof(StackTask<T>)})),
        labels(rows + capacity * 8),
        sums(labels + capacity * 8),
        form(sums + kThreads * 8),
        values(form + aligned(std::int64_t{sizeof(StepForm<T>)})) {}
  std::int64_t rows, labels, sums, form, values;  // where they begin, in bytes
};

// Fills in all that follows from the stack, the plan and how many slices a block has at most; returns how
// many bytes of memory a block needs. here: sums over slices go from block to block, not through the
// device's memory.
template <class T>
std::int64_t lay_out(const Stack<T>& stack, const StackPlan& plan, int each, std::int64_t capacity, bool here,
                     StackTask<T>& task);

}  // namespace lamina::cuda
