// Stacks of dense layers, each trained by one persistent kernel; several in a launch, side by side.
#include <algorithm>
#include <map>
#include <new>

#include "backend/cuda/cuda.h"
#include "backend/cuda/stack_kernel.h"
#include "base/error.h"

namespace lamina {
namespace {

using cuda::StackTask;

// Beyond so many rows a step is long enough for kernels of its own.
constexpr std::int64_t kMostRows = 256;
// Places in a block's memory are numbers of this size.
constexpr std::int64_t kMostParameters = std::int64_t{1} << 26;

enum class Reading { kBytes, kNumbers, kAny };

template <class T>
Reading reading_of(const Rows& x) {
  if (x.dtype == DType::kUint8) return Reading::kBytes;
  const DType own = sizeof(T) == sizeof(float) ? DType::kFloat32 : DType::kFloat64;
  return x.dtype == own && !x.swapped ? Reading::kNumbers : Reading::kAny;
}

// A run with what the launch needs to know of it.
template <class T>
struct Planned {
  const StackRun<T>* run;
  StackTask<T> task;
  std::int64_t blocks = 0, shared_bytes = 0;
  double clocks = 0;  // of a step, by an estimate
  std::string why_not;
};

// Runs that are launched side by side.
template <class T>
struct Launched {
  std::vector<Planned<T>> all;
  std::int64_t cluster = 0;  // blocks of each one's cluster; 0: they are none
  double clocks = 0;         // of a step of all of them
  std::string why_not;
};

template <class T>
std::string refusal(const StackRun<T>& run, const cuda::Limits& limits) {
  const Stack<T>& stack = run.stack;
  const auto layers = static_cast<std::int64_t>(stack.layers.size());
  if (limits.blocks == 0) return "the device's blocks can't wait for each other";
  if (layers > cuda::kMostLayers) return text("it has ", layers, " layers, more than ", cuda::kMostLayers);
  if (stack.metrics.size() > cuda::kMostMetrics)
    return text("it has ", stack.metrics.size(), " metrics, more than ", cuda::kMostMetrics);
  if (run.batches.batch_size > kMostRows)
    return text("its batches have ", run.batches.batch_size, " rows, more than ", kMostRows);
  if (run.batches.x->sparse() || run.batches.y->sparse()) return "its rows are sparse";
  std::int64_t parameters = 0;
  for (const StackLayer<T>& layer : stack.layers) parameters += layer.units * layer.stride;
  const std::int64_t dropped =
      stack.dropping.rate > 0 ? run.batches.batch_size * stack.layers.front().inputs : 0;
  if (std::max(parameters, dropped) > kMostParameters)
    return "its weights do not fit into the blocks' shared memory";
  return "";
}

// Found once by each thread: it is asked for with every crossing.
const cuda::StackPlan& plan_for(const std::vector<std::int64_t>& widths) {
  thread_local std::map<std::vector<std::int64_t>, cuda::StackPlan> plans;
  const auto [found, made] = plans.try_emplace(widths);
  if (made) found->second = cuda::plan_of(widths);
  return found->second;
}

// Its blocks are as many as slices, or fewer where there is no room for so many.
template <class T>
Planned<T> planned(const StackRun<T>& run, const cuda::Limits& limits, std::int64_t room, bool cluster) {
  Planned<T> planned{&run, {}, 0, 0, 0, refusal(run, limits)};
  if (!planned.why_not.empty()) return planned;
  std::vector<std::int64_t> widths{run.stack.layers.front().inputs};
  for (const StackLayer<T>& layer : run.stack.layers) widths.push_back(layer.units);
  const cuda::StackPlan& plan = plan_for(widths);
  const std::int64_t most = cluster ? limits.cluster : limits.blocks;
  // Fewer blocks have more slices each; where these do not fit, more blocks than there was room for.
  for (std::int64_t each = (plan.slices + room - 1) / room; each > 0; --each) {
    planned.blocks = (plan.slices + each - 1) / each;
    planned.clocks = clocks_of(plan, each, cluster);
    for (const bool here : {true, false}) {
      if (here && !cluster) continue;
      planned.shared_bytes =
          lay_out(run.stack, plan, static_cast<int>(each), run.batches.batch_size, here, planned.task);
      if (planned.shared_bytes <= limits.shared_bytes && planned.blocks <= most) return planned;
    }
  }
  planned.why_not = "its weights do not fit into the blocks' shared memory";
  return planned;
}

std::int64_t times(std::int64_t n, std::int64_t at_once) { return (n + at_once - 1) / at_once; }

// Side by side as clusters or not.
template <class T>
Launched<T> launched(const std::vector<const StackRun<T>*>& runs, const cuda::Limits& limits, bool cluster) {
  const auto count = std::max<std::int64_t>(static_cast<std::int64_t>(runs.size()), 1);
  // Multiprocessors lie in groups of the size of the largest cluster, so many of which find room in each.
  const std::int64_t groups = std::max<std::int64_t>(limits.blocks / cuda::kLargestCluster, 1);
  const std::int64_t room = cluster ? std::min(limits.cluster, cuda::kLargestCluster / times(count, groups))
                                    : limits.blocks / count;
  Launched<T> side_by_side;
  std::int64_t blocks = 0, largest = 0;
  for (const StackRun<T>* run : runs) {
    Planned<T> one = planned(*run, limits, std::max<std::int64_t>(room, 1), cluster);
    if (!one.why_not.empty()) side_by_side.why_not = one.why_not;
    blocks += one.blocks;
    largest = std::max(largest, one.blocks);
    side_by_side.clocks = std::max(side_by_side.clocks, one.clocks);
    side_by_side.all.push_back(std::move(one));
    if (!side_by_side.why_not.empty()) return side_by_side;
  }
  if (cluster) side_by_side.cluster = largest;
  side_by_side.clocks *= static_cast<double>(
      cluster ? times(count, groups * (cuda::kLargestCluster / std::max<std::int64_t>(largest, 1)))
              : times(blocks, limits.blocks));
  return side_by_side;
}

// The quicker way, by the estimate.
template <class T>
Launched<T> quicker(const std::vector<const StackRun<T>*>& runs, const cuda::Limits& limits) {
  Launched<T> plain = launched(runs, limits, false);
  if (!plain.why_not.empty() || limits.cluster == 0) return plain;
  Launched<T> clusters = launched(runs, limits, true);
  return clusters.why_not.empty() && clusters.clocks <= plain.clocks ? clusters : plain;
}

template <class T>
cuda::Drops<T> drops(const Dropping& given) {
  const bool all = given.rate >= 1;
  return {given.rate > 0, given.stream, given.seed, static_cast<std::uint64_t>(given.rate * 0x1p32),
          all ? T(0) : static_cast<T>(1 / (1 - given.rate))};
}

template <class T>
void fill_in(const StackRun<T>& run, StackTask<T>& task) {
  const Stack<T>& stack = run.stack;
  const StackBatches<T>& batches = run.batches;
  task.flat[0] = stack.update.w;
  for (int k = 0; k < 3; ++k) task.flat[2 + k] = stack.update.slots[k];
  task.x = cuda::Packed(*batches.x);
  task.y = cuda::Packed(*batches.y);
  task.rescale = stack.rescale;
  task.rescales = !stack.rescale.identity();
  task.labels = stack.labels;
  task.at_logits = stack.at_logits;
  task.from_mean = stack.from_mean;
  task.range = stack.range;
  task.loss = stack.loss;
  task.loss_weight = stack.loss_weight;
  task.weighted = stack.weighted;
  task.by_weights = stack.by_weights;
  if (stack.weighted) task.weights = cuda::Packed(*batches.weights);
  task.x_drops = drops<T>(stack.dropping);
  for (std::size_t l = 0; l < stack.layers.size(); ++l) task.drops[l] = drops<T>(stack.layers[l].dropping);
  task.step = batches.step;
  task.metrics = static_cast<int>(stack.metrics.size());
  std::copy(stack.metrics.begin(), stack.metrics.end(), task.metric);
  task.optimizer = stack.update.kind;
  task.order = batches.order;
  task.first = batches.first;
  task.end = batches.x->count;
  task.batch_size = batches.batch_size;
  task.steps = batches.steps;
  task.forms = batches.forms;
  task.numbers = batches.numbers;
  task.width = batches.width;
}

template <class T, class X>
bool launch(const cuda::Device& device, cuda::Span* spans, int groups, int cluster, std::int64_t shared_bytes,
            const StackTask<T>* tasks) {
  return device.launch_together(spans, groups, cluster, shared_bytes, cuda::StackKernel<T, X>{tasks});
}

template <class T>
bool launch(Reading reading, const cuda::Device& device, cuda::Span* spans, int groups, int cluster,
            std::int64_t shared_bytes, const StackTask<T>* tasks) {
  switch (reading) {
    case Reading::kBytes:
      return launch<T, cuda::Plainly<unsigned char>>(device, spans, groups, cluster, shared_bytes, tasks);
    case Reading::kNumbers:
      return launch<T, cuda::Plainly<T>>(device, spans, groups, cluster, shared_bytes, tasks);
    default:
      return launch<T, cuda::Generally>(device, spans, groups, cluster, shared_bytes, tasks);
  }
}

// False: the driver does not launch them so, and nothing is done.
template <class T>
bool launch_all(const cuda::Device& device, Launched<T>& runs, const cuda::Limits& limits) {
  const auto count = static_cast<std::int64_t>(runs.all.size());
  std::int64_t exchanged = 0;
  for (const Planned<T>& each : runs.all) exchanged += 2 * each.task.exchange_size;
  const std::int64_t spans_bytes = padded<char>(count * std::int64_t{sizeof(cuda::Span)}),
                     tasks_bytes = padded<char>(count * std::int64_t{sizeof(StackTask<T>)});
  auto* const memory = static_cast<unsigned char*>(
      device.scratch(spans_bytes + tasks_bytes + exchanged * std::int64_t{sizeof(T)}));
  auto* const spans = reinterpret_cast<cuda::Span*>(memory);
  auto* const tasks = reinterpret_cast<StackTask<T>*>(memory + spans_bytes);
  auto* exchange = reinterpret_cast<T*>(memory + spans_bytes + tasks_bytes);
  for (std::int64_t i = 0; i < count; ++i) {
    Planned<T>& each = runs.all[static_cast<std::size_t>(i)];
    const StackBatches<T>& batches = each.run->batches;
    const Update<T>& update = each.run->stack.update;
    device.check(batches.x->data, batches.y->data,
                 batches.weights != nullptr ? batches.weights->data : nullptr, batches.order, batches.forms,
                 batches.numbers, update.w, update.slots[0], update.slots[1], update.slots[2]);
    fill_in(*each.run, each.task);
    each.task.exchange = exchange;
    exchange += 2 * each.task.exchange_size;
    new (tasks + i) StackTask<T>(each.task);
  }
  // As many in a launch as find room, the others behind them; clusters find it one by one.
  for (std::int64_t first = 0, last = 0; first < count; first = last) {
    std::int64_t blocks = 0, shared_bytes = 0;
    Reading reading = reading_of<T>(*runs.all[static_cast<std::size_t>(first)].run->batches.x);
    for (; last < count; ++last) {
      const Planned<T>& each = runs.all[static_cast<std::size_t>(last)];
      if (runs.cluster == 0 && blocks + each.blocks > limits.blocks) break;
      new (spans + last) cuda::Span{blocks, each.blocks, 0};
      blocks += each.blocks;
      shared_bytes = std::max(shared_bytes, each.shared_bytes);
      if (reading_of<T>(*each.run->batches.x) != reading) reading = Reading::kAny;
    }
    if (launch<T>(reading, device, spans + first, static_cast<int>(last - first),
                  static_cast<int>(runs.cluster), shared_bytes, tasks + first))
      continue;
    if (first == 0) return false;
    throw std::runtime_error("the GPU: a kernel was not launched");
  }
  return true;
}

}  // namespace

template <class T>
std::string CudaBackend<T>::train_stacks(Lease&, const std::vector<const StackRun<T>*>& runs) const {
  const cuda::Limits limits = device_.limits();
  Launched<T> side_by_side = quicker(runs, limits);
  if (!side_by_side.why_not.empty()) return side_by_side.why_not;
  if (std::none_of(runs.begin(), runs.end(), [](const auto* run) { return run->batches.steps > 0; }))
    return "";
  device_.finish();  // the host writes what kernels before this one may still read
  if (launch_all(device_, side_by_side, limits)) return "";
  if (side_by_side.cluster > 0) {  // so a driver may say whose device is shared with others
    side_by_side = launched(runs, limits, false);
    if (launch_all(device_, side_by_side, limits)) return "";
  }
  return "the driver does not launch blocks that wait for each other";
}

#define LAMINA_INSTANTIATE(T) \
  template std::string CudaBackend<T>::train_stacks(Lease&, const std::vector<const StackRun<T>*>&) const;
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
#undef LAMINA_INSTANTIATE

}  // namespace lamina
