#include "backend/cuda/stack_plan.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "backend/cuda/small_product.h"

namespace lamina::cuda {
namespace {

// Clocks of a multiprocessor for each of 32 rows, roughly: a product of a by b reads a + b numbers for a b
// multiply-adds, by fours; what others wrote comes by sixteen; to wait for all blocks takes 2000, or 400 in
// a cluster.
constexpr double kWait = 2000 / 32.0, kWaitInCluster = 400 / 32.0, kReadPerClock = 16;

double product(double a, double b) { return (a + 3) * (b + 3) / 64; }

double part(std::int64_t n, int slices) { return static_cast<double>((n + slices - 1) / slices); }

struct Exchange {
  double cost;
  bool by_turns;
};

// A sum of n numbers a row over all slices, read by everyone, or by turns, with another wait.
Exchange exchange(std::int64_t n, int slices) {
  const double numbers = static_cast<double>(n) / kReadPerClock;
  const double by_all = kWait + slices * numbers, by_turns = 2 * kWait + 2 * numbers;
  return {std::min(by_all, by_turns), by_turns < by_all};
}

struct Search {
  const std::vector<std::int64_t>& widths;
  int slices;
  StackPlan now;
  double best = std::numeric_limits<double>::infinity();
  StackPlan found;

  // The layers from l on, whose input is whole in every block, or not.
  void go(std::size_t l, bool whole, const StackClocks& clocks) {
    if (clocks.all >= best) return;
    if (l + 1 == widths.size()) {
      if (!whole) return;
      best = clocks.all;
      found = now;
      found.clocks = clocks;
      return;
    }
    const std::int64_t in = widths[l], out = widths[l + 1];
    const double times = l > 0 ? 3 : 2;  // forward, the weights' gradient, the input's
    const auto take = [&](Share share, double products, std::int64_t exchanged, bool whole_then) {
      const Exchange sum = exchanged > 0 ? exchange(exchanged, slices) : Exchange{0, false};
      now.shares.push_back(share);
      now.by_turns.push_back(sum.by_turns);
      StackClocks then = clocks;
      then.all += times * products + sum.cost;
      if (share != Share::kWhole) then.cut += times * products;
      if (exchanged > 0) then.waits += sum.by_turns ? 2 : 1;
      go(l + 1, whole_then, then);
      now.shares.pop_back();
      now.by_turns.pop_back();
    };
    const double i = static_cast<double>(in), o = static_cast<double>(out);
    if (whole) {
      take(Share::kWhole, product(i, o), 0, true);
      if (slices > 1) take(Share::kSplit, product(i, part(out, slices)), l > 0 ? in : 0, false);
    }
    // Every block can read its own part of the data.
    if (slices > 1 && (!whole || l == 0)) take(Share::kJoin, product(part(in, slices), o), out, true);
  }
};

}  // namespace

StackPlan plan_of(const std::vector<std::int64_t>& widths) {
  double best = std::numeric_limits<double>::infinity();
  StackPlan plan;
  for (int slices = 1; slices <= kMostSlices; ++slices) {
    Search search{widths, slices, {}, best, {}};
    search.now.slices = slices;
    search.go(0, true, {});
    if (search.best >= best) continue;
    best = search.best;
    plan = search.found;
  }
  const auto cut = [](Share share) { return share != Share::kWhole; };
  if (std::none_of(plan.shares.begin(), plan.shares.end(), cut)) plan.slices = 1;
  return plan;
}

double clocks_of(const StackPlan& plan, std::int64_t each, bool cluster) {
  const StackClocks& one = plan.clocks;
  return one.all + static_cast<double>(each - 1) * one.cut -
         (cluster ? one.waits * (kWait - kWaitInCluster) : 0);
}

template <class T>
std::int64_t lay_out(const Stack<T>& stack, const StackPlan& plan, int each, std::int64_t capacity, bool here,
                     StackTask<T>& task) {
  const auto layers = static_cast<int>(stack.layers.size());
  const auto rows = static_cast<int>(capacity);
  const auto odd = [](int n) { return n | 1; };  // from row to row, so that a column lies in all banks
  const auto most = [&](int n) { return (n + plan.slices - 1) / plan.slices; };
  task.layers = layers;
  task.slices = plan.slices;
  task.capacity = rows;
  int at = 0;
  const auto place = [&](int size) { return std::exchange(at, at + size); };
  for (int l = 0; l < layers; ++l) {
    const StackLayer<T>& given = stack.layers[static_cast<std::size_t>(l)];
    SharedLayer& layer = task.layer[l];
    layer = {};
    layer.share = plan.shares[static_cast<std::size_t>(l)];
    layer.by_turns = plan.by_turns[static_cast<std::size_t>(l)];
    layer.a = given.a;
    layer.inputs = static_cast<int>(given.inputs);
    layer.units = static_cast<int>(given.units);
    layer.slices = plan.slices;
    layer.w = given.w;
    layer.stride = given.stride;
    layer.b = given.b;
    const int units = layer.share == Share::kSplit ? most(layer.units) : layer.units;
    const int inputs = layer.share == Share::kJoin ? most(layer.inputs) : layer.inputs;
    layer.pitch = odd(inputs);
    layer.w_each = layer.share == Share::kWhole ? 0 : units * layer.pitch;
    layer.w_at = place(units * layer.pitch * (layer.share == Share::kWhole ? 1 : each));
    layer.b_each = layer.share == Share::kSplit ? units : 0;
    layer.b_at = place(units * (layer.share == Share::kSplit ? each : 1));
    layer.y_pitch = odd(units);
    layer.y_each = layer.share == Share::kSplit ? rows * layer.y_pitch : 0;
  }
  task.parameters = at;
  task.copy_at[0] = 0;
  task.copy_at[1] = place(task.parameters);
  for (int k = 0; k < 3; ++k)
    task.copy_at[2 + k] = stack.update.slots[k] != nullptr ? place(task.parameters) : 0;
  int largest[2] = {};  // layers' gradients take two places in turn
  for (int l = 0; l < layers; ++l) {
    SharedLayer& layer = task.layer[l];
    const int size = rows * layer.y_pitch * (layer.share == Share::kSplit ? each : 1);
    layer.y_at = place(size);
    layer.whole_at = stack.layers[static_cast<std::size_t>(l)].dropping.rate > 0 ? place(size) : layer.y_at;
    largest[(layers - 1 - l) % 2] = std::max(largest[(layers - 1 - l) % 2], size);
  }
  for (int k = 0; k < 2; ++k) task.d_at[k] = place(largest[k]);
  const SharedLayer& last = task.layer[layers - 1];
  task.logits_at = place(rows * last.y_pitch);
  task.targets_at = place(stack.labels ? 0 : rows * last.units);
  task.rows_at = place(rows * (1 + static_cast<int>(stack.metrics.size())));
  task.parts_at = place(kProductParts);
  task.weights_at = place(stack.weighted ? rows : 0);
  task.kept_at = place(stack.dropping.rate > 0 ? rows * task.layer[0].inputs / 4 / int{sizeof(T)} + 1 : 0);

  task.ops = 0;
  task.exchange_size = 0;
  std::int64_t here_size = 0;
  const std::int64_t blocks = (plan.slices + each - 1) / each;
  const auto add = [&](Act act, int l, bool waits = false) { task.op[task.ops++] = {act, l, waits}; };
  const auto sum = [&](int l, int numbers, Act by_turns, Act end) {
    task.layer[l].exchange_at = task.exchange_size;
    // The slices' parts, and behind them their sum.
    task.exchange_size += std::int64_t{plan.slices + 1} * rows * numbers;
    // Its own slices' parts, and its turns of the sum, which are of kThreads numbers.
    const std::int64_t parts = std::int64_t{each} * rows * numbers,
                       turns = (std::int64_t{rows} * numbers + kThreads * blocks - 1) / (kThreads * blocks);
    task.layer[l].here_at = static_cast<int>(here_size);
    task.layer[l].turns_at = static_cast<int>(here_size + parts);
    here_size += parts + (task.layer[l].by_turns ? turns * kThreads : 0);
    task.op[task.ops - 1].waits = true;
    if (task.layer[l].by_turns) add(by_turns, l, true);
    add(end, l);
  };
  for (int l = 0; l < layers; ++l) {
    add(Act::kForward, l);
    if (task.layer[l].share == Share::kJoin) sum(l, task.layer[l].units, Act::kSumForward, Act::kEndForward);
  }
  add(Act::kLoss, layers - 1);
  for (int l = layers - 1; l >= 0; --l) {
    add(Act::kBackward, l);
    if (l > 0 && task.layer[l].share == Share::kSplit)
      sum(l, task.layer[l].inputs, Act::kSumBackward, Act::kEndBackward);
  }
  add(Act::kStep, 0);
  task.here_at = here ? at : -1;
  task.here_size = static_cast<int>(here_size);
  return StackMemory<T>(rows).values + (at + (here ? 2 * here_size : 0)) * std::int64_t{sizeof(T)};
}

template std::int64_t lay_out(const Stack<float>&, const StackPlan&, int, std::int64_t, bool,
                              StackTask<float>&);
template std::int64_t lay_out(const Stack<double>&, const StackPlan&, int, std::int64_t, bool,
                              StackTask<double>&);

}  // namespace lamina::cuda
