// Trainings of stacks of dense layers by the persistent kernel of an emulated GPU: against the reference
// backend, against its own verbs, and whatever the number and the order of blocks.
#include <cmath>
#include <memory>
#include <optional>
#include <set>

#include "backend/cuda/stack_plan.h"
#include "base/error.h"
#include "checks.h"
#include "expect.h"
#include "nn/layers/activation.h"
#include "nn/layers/dense.h"
#include "nn/layers/dropout.h"
#include "nn/layers/rescaling.h"
#include "train/together.h"

namespace lamina {
namespace {

constexpr std::int64_t kRows = 75;
constexpr cuda::Limits kDevice{132, 232448, 16};  // an H100
constexpr cuda::Limits kNone{0, 0, 0};            // one whose blocks can't wait
constexpr std::int64_t kAmple = std::int64_t{1} << 30;

// The emulated device as it is to be, until the end of a scope.
struct Emulated {
  explicit Emulated(cuda::Limits limits, bool backwards = false) {
    cuda::emulated_limits() = limits;
    cuda::backwards() = backwards;
  }
  ~Emulated() {
    cuda::emulated_limits() = kDevice;
    cuda::backwards() = false;
  }
  Emulated(const Emulated&) = delete;
  Emulated& operator=(const Emulated&) = delete;
};

struct Case {
  std::vector<std::int64_t> widths;
  std::int64_t batch_size = 32;
  LossKind loss = LossKind::kSparseCategoricalCrossentropy;
  Activation head = Activation::kSoftmax;
  OptimizerKind optimizer = OptimizerKind::kSgd;
  bool bytes = false;  // x is of bytes, to be rescaled
  Shuffle shuffle = Shuffle::kRows;
  std::int64_t crossings = 1;  // of an epoch
  double momentum = 0.9;
  Reduction reduction = Reduction::kMean;
  std::vector<Activation> hidden = {Activation::kTanh, Activation::kRelu, Activation::kSigmoid};
};

template <class T>
struct Result {
  std::vector<T> parameters;
  std::vector<double> means;
  std::string verbs_because;

  bool operator==(const Result& other) const {
    return parameters == other.parameters && means == other.means;
  }
};

OptimizerForm optimizer_form(const Case& of) {
  OptimizerForm form;
  form.kind = of.optimizer;
  form.learning_rate = of.optimizer == OptimizerKind::kAdadelta ? 0.5 : 0.01;
  form.momentum = of.momentum;
  form.amsgrad = form.centered = true;
  form.weight_decay = 0.01;
  return form;
}

template <class T>
void build(Network<T>& network, const Case& of) {
  const std::int64_t inputs = of.widths.front();
  if (of.bytes) network.add(std::make_unique<Rescaling<T>>(inputs, 1.0 / 127.5, -1.0));
  for (std::size_t l = 1; l < of.widths.size(); ++l) {
    const bool last = l + 1 == of.widths.size(), bias = l % 3 != 2;
    const Activation a = last ? of.head : of.hidden[(l - 1) % of.hidden.size()];
    const bool apart = l == 1 && !last;  // an activation that is a layer of its own
    network.add(
        std::make_unique<Dense<T>>(1, of.widths[l - 1], of.widths[l], apart ? Activation::kLinear : a, bias));
    if (apart) network.add(std::make_unique<ActivationLayer<T>>(1, of.widths[l], a));
  }
  network.build();
  std::uint32_t stream = 0;
  for (const auto& layer : network.layers())
    for (const Parameter& p : layer->parameters()) {
      const double limit = std::sqrt(3.0 / static_cast<double>(p.vector ? 30 : p.cols));
      for (std::int64_t i = 0; i < p.rows; ++i)
        fill_uniform(network.parameters() + p.offset + i * p.stride, p.cols,
                     {1, Purpose::kInitialise, stream++, 0}, -limit, limit);
    }
}

template <class T>
Result<T> train(const char* backend, const Case& of) {
  const std::int64_t inputs = of.widths.front(), outputs = of.widths.back();
  Network<T> network(inputs, tested_backend<T>(backend));
  build(network, of);
  Optimizer<T> optimizer(optimizer_form(of));
  optimizer.set_schedule([](std::int64_t step) { return 0.02 / static_cast<double>(step + 2); });
  TrainingForm training;
  training.loss = of.loss;
  training.reduction = of.reduction;
  training.loss_weight = 0.5;
  if (takes_labels(of.loss)) {
    training.metrics = {MetricKind::kSparseCategoricalAccuracy};
    MetricSpec entropy;
    entropy.way = MetricSpec::Way::kLoss;
    entropy.loss = LossKind::kSparseCategoricalCrossentropy;
    training.metrics.push_back(entropy);
  } else {
    training.metrics = {MetricKind::kCategoricalAccuracy, MetricKind::kMeanAbsoluteError};
  }
  Trainer<T> trainer(network, optimizer, training);
  const std::vector<T> x = host_values<T>(kRows * inputs, 2), dense_y = host_values<T>(kRows * outputs, 3);
  std::vector<T> y(dense_y), labels(static_cast<std::size_t>(kRows));
  std::vector<unsigned char> bytes(x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    bytes[i] = static_cast<unsigned char>(static_cast<int>(i * 7919 % 251));
  for (std::size_t i = 0; i < labels.size(); ++i)
    labels[i] = static_cast<T>(static_cast<std::int64_t>(i * i) % outputs);
  if (of.loss != LossKind::kMeanSquaredError)
    for (std::size_t i = 0; i < y.size(); ++i) y[i] = T(static_cast<std::int64_t>(i * 5 % 7) == 2);
  Dataset data;
  data.x = rows_of(x, kRows);
  if (of.bytes) data.x = {bytes.data(), DType::kUint8, false, kRows, inputs, {inputs}, {1}, {}};
  data.y = trainer.data_form().labels ? rows_of(labels, kRows) : rows_of(y, kRows);
  Lease lease;
  Result<T> result;
  for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
    const std::int64_t batches = trainer.begin_epoch(lease, data, of.batch_size, of.shuffle, 5, epoch);
    for (std::int64_t k = 0; k < of.crossings; ++k)
      trainer.train(lease, batches * k / of.crossings, batches * (k + 1) / of.crossings);
    const std::vector<double> means = trainer.epoch_standing().means;
    result.means.insert(result.means.end(), means.begin(), means.end());
  }
  trainer.end_epoch();
  result.verbs_because = trainer.verbs_because();
  result.parameters.assign(network.parameters(), network.parameters() + network.trainable_size());
  for (const auto& slot : optimizer.state())
    result.parameters.insert(result.parameters.end(), slot.begin(), slot.end());
  expect(optimizer.iterations() == 2 * ((kRows - 1) / of.batch_size + 1), "every step was counted");
  return result;
}

std::string name_of(const Case& of) {
  std::string widths;
  for (const std::int64_t width : of.widths) widths += text(width, " ");
  return text("a stack of ", widths, "in batches of ", of.batch_size, ", loss ", static_cast<int>(of.loss),
              ", optimizer ", static_cast<int>(of.optimizer), ": ");
}

// Each step rounds sums over rows, inputs and units, relative to the largest number; what a rule divides by
// its own size (Adam's first steps) makes of a small gradient's rounding one of the step. An error in an
// index or a formula is larger by far.
template <class T>
void expect_near(const Case& of, const Result<T>& got, const Result<T>& expected, const char* what) {
  const double unit = sizeof(T) == sizeof(float) ? 0x1p-24 : 0x1p-53;
  double terms = static_cast<double>(kRows);
  for (const std::int64_t width : of.widths) terms += static_cast<double>(width);
  const double steps = 2 * static_cast<double>((kRows - 1) / of.batch_size + 1);
  const auto compare = [&](const auto& a, const auto& b) {
    expect(a.size() == b.size() && !a.empty(), name_of(of) + "as many numbers");
    double largest = 0, worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      expect(std::isfinite(a[i]), name_of(of) + "a number is not finite");
      largest = std::max(largest, std::abs(static_cast<double>(b[i])));
      worst = std::max(worst, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    }
    expect(worst <= 4 * steps * terms * unit * std::max(largest, 1.0),
           name_of(of) + what + ": off by " + std::to_string(worst / (unit * std::max(largest, 1.0))) +
               " roundings");
  };
  compare(got.parameters, expected.parameters);
  compare(got.means, expected.means);
}

template <class T>
void check(const Case& of) {
  const Result<T> got = train<T>("emulated", of);
  expect(got.verbs_because.empty(), name_of(of) + "it was not trained by itself: " + got.verbs_because);
  expect_near(of, got, train<T>("reference", of), "reference");
  {
    const Emulated without(kNone);
    const Result<T> by_verbs = train<T>("emulated", of);
    expect(by_verbs.verbs_because == "the device's blocks can't wait for each other", by_verbs.verbs_because);
    expect_near(of, got, by_verbs, "verbs");
  }
  {
    const Emulated in_turn(kDevice, true);
    expect(train<T>("emulated", of) == got, name_of(of) + "the order of blocks and threads counts");
  }
  for (const std::int64_t blocks : {1, 3})
    for (const std::int64_t cluster : {std::int64_t{0}, blocks}) {
      const Emulated few({blocks, kAmple, cluster}, blocks == 3);
      const std::int64_t before = cuda::clusters_launched();
      expect(train<T>("emulated", of) == got, name_of(of) + "the number of blocks counts, or a cluster does");
      expect((cuda::clusters_launched() > before) == (cluster > 0),
             name_of(of) + "clusters where they can be");
    }
}

// A cluster whose blocks' memory has room for their weights, but not for what goes between them.
template <class T>
void check_narrow_clusters() {
  const Case of{{130, 40, 10}};
  const Result<T> got = train<T>("emulated", of);
  for (std::int64_t bytes = 24 << 10;; bytes += 512) {
    const Emulated narrow({3, bytes, 3});
    const std::int64_t before = cuda::clusters_launched();
    const Result<T> found = train<T>("emulated", of);
    if (!found.verbs_because.empty()) continue;
    expect(cuda::clusters_launched() > before && found == got, "sums of a cluster that go through memory");
    return;
  }
}

template <class T>
void check_shapes() {
  using Widths = std::vector<std::int64_t>;
  std::set<int> seen;  // shares, by turns or not, in first layers and others
  for (const Widths& widths : {Widths{784, 10},
                               {130, 40, 10},
                               {784, 30, 10},
                               {13, 64, 64, 3},
                               {29, 37, 19, 5},
                               {64, 64, 64, 64, 10},
                               {500, 20, 500, 3},
                               {100, 300, 200, 150, 2},
                               {3, 2}}) {
    Case of{widths};
    of.optimizer = OptimizerKind::kAdagrad;
    of.bytes = widths.size() % 2 == 1;
    check<T>(of);
    const cuda::StackPlan plan = cuda::plan_of(widths);
    for (std::size_t l = 0; l < plan.shares.size(); ++l)
      seen.insert((l > 0 ? 6 : 0) + static_cast<int>(plan.shares[l]) * 2 + (plan.by_turns[l] ? 1 : 0));
  }
  // A first layer's split and whole need no sum.
  expect(seen == std::set<int>{0, 2, 3, 4, 6, 7, 8, 9, 10}, "all ways to share out a layer were seen");
  for (const std::int64_t batch_size : {1, 2, 31, 74, 75, 256}) {
    Case of{{130, 40, 10}, batch_size};
    of.crossings = batch_size < 20 ? 3 : 1;
    of.shuffle = batch_size == 2    ? Shuffle::kWithinBatches
                 : batch_size == 31 ? Shuffle::kNone
                                    : Shuffle::kRows;
    check<T>(of);
  }
}

template <class T>
void check_losses_and_rules() {
  for (const OptimizerKind optimizer :
       {OptimizerKind::kSgd, OptimizerKind::kRmsprop, OptimizerKind::kAdagrad, OptimizerKind::kAdam,
        OptimizerKind::kAdadelta, OptimizerKind::kAdamax, OptimizerKind::kNadam, OptimizerKind::kFtrl,
        OptimizerKind::kScheduleFreeAdamW}) {
    Case of{{40, 17, 5}};
    of.optimizer = optimizer;
    check<T>(of);
  }
  Case plain{{130, 40, 5}};
  plain.momentum = 0;
  check<T>(plain);
  for (const LossKind loss : {LossKind::kMeanSquaredError, LossKind::kBinaryCrossentropy,
                              LossKind::kCategoricalCrossentropy, LossKind::kHuber, LossKind::kKlDivergence})
    for (const Activation head : {Activation::kSoftmax, Activation::kSigmoid}) {
      Case of{{130, 40, 5}};
      of.loss = loss;
      of.head = head;
      of.reduction = head == Activation::kSigmoid ? Reduction::kSum : Reduction::kMean;
      check<T>(of);
    }
  Case linear{{130, 40, 1}};
  linear.loss = LossKind::kMeanSquaredError;
  linear.head = Activation::kLinear;
  check<T>(linear);
}

// Side by side in a launch, one of them by verbs, each with the bits that it has alone; whatever the device's
// size, so also where not all find room at once.
template <class T>
struct Side {
  explicit Side(const Case& of, bool by_verbs)
      : network(of.widths.front(), tested_backend<T>("emulated")),
        optimizer(optimizer_form(of)),
        x(host_values<T>(kRows * of.widths.front(), 2)),
        y(static_cast<std::size_t>(kRows), T(1)) {
    if (by_verbs) network.add(std::make_unique<Dropout<T>>(of.widths.front(), 0.5, 1, 1));
    build(network, of);
    TrainingForm training;
    training.loss = of.loss;
    trainer.emplace(network, optimizer, training);
    data.x = rows_of(x, kRows);
    data.y = rows_of(y, kRows);
    epochs.emplace(*trainer, data, &data,
                   EpochsForm{0, 3, of.batch_size, Shuffle::kRows, 5, 0, 16, 2, {}, of.crossings});
  }
  std::vector<T> parameters() const {
    return {network.parameters(), network.parameters() + network.trainable_size()};
  }

  Network<T> network;
  Optimizer<T> optimizer;
  std::optional<Trainer<T>> trainer;
  std::vector<T> x, y;
  Dataset data;
  std::optional<TrainerEpochs<T>> epochs;
};

template <class T>
void check_side_by_side() {
  std::vector<Case> cases = {
      {{130, 40, 10}, 32}, {{784, 30, 10}, 16}, {{20, 5}, 7}, {{64, 64, 64, 64, 10}, 32}};
  cases[2].crossings = 4;  // an epoch of four steps
  cases[3].optimizer = OptimizerKind::kAdam;
  for (const cuda::Limits limits : {kDevice, cuda::Limits{1, kAmple, 0}, cuda::Limits{40, kAmple, 5}}) {
    const Emulated device(limits);
    std::vector<std::unique_ptr<Side<T>>> together;
    std::vector<Epochs*> runs;
    for (std::size_t k = 0; k <= cases.size(); ++k) {
      together.push_back(std::make_unique<Side<T>>(cases[k % cases.size()], k == cases.size()));
      runs.push_back(&*together.back()->epochs);
    }
    Interrupt never;
    for (const auto& error : run_together(never, runs)) expect(error == nullptr, "no error of a run");
    for (std::size_t k = 0; k <= cases.size(); ++k) {
      Side<T> alone(cases[k % cases.size()], k == cases.size());
      Lease lease;
      alone.epochs->run(lease);
      expect(together[k]->trainer->verbs_because() == (k == cases.size() ? "a layer is not dense" : ""),
             name_of(cases[k % cases.size()]) + together[k]->trainer->verbs_because());
      expect(together[k]->parameters() == alone.parameters(), "side by side: the bits that a run has alone");
      expect(together[k]->epochs->take() == alone.epochs->take(), "side by side: and its means");
      expect(together[k]->optimizer.iterations() == alone.optimizer.iterations(), "side by side: its steps");
    }
  }
  Side<T> one(cases[0], false), two(cases[1], false);
  expect(an_interrupt_ends({&*one.epochs, &*two.epochs}), "side by side: an interrupt ends all of them");
}

// Which way a network goes, and why.
void check_ways() {
  const auto expect_verbs = [](const Case& of, const std::string& why, auto&&... change) {
    Network<float> network(of.widths.front(), tested_backend<float>("emulated"));
    (change(network), ...);
    build(network, of);
    Optimizer<float> optimizer(optimizer_form(of));
    TrainingForm training;
    training.loss = of.loss;
    Trainer<float> trainer(network, optimizer, training);
    expect(!trainer.verbs_because().empty(), "nothing was trained yet");
    const std::vector<float> x = host_values<float>(kRows * of.widths.front(), 2),
                             y(static_cast<std::size_t>(kRows), 0.0f);
    Dataset data;
    data.x = rows_of(x, kRows);
    data.y = rows_of(y, kRows);
    Lease lease;
    trainer.train(
        lease, 0,
        std::min<std::int64_t>(trainer.begin_epoch(lease, data, of.batch_size, Shuffle::kRows, 5, 0), 1));
    expect(trainer.verbs_because() == why,
           name_of(of) + "expected \"" + why + "\", got \"" + trainer.verbs_because() + "\"");
  };
  const Case small{{40, 17, 5}};
  expect_verbs(small, "");
  expect_verbs(small, "a layer is not dense",
               [](Network<float>& network) { network.add(std::make_unique<Dropout<float>>(40, 0.5, 1, 1)); });
  expect_verbs(small, "a softmax is not the last activation", [](Network<float>& network) {
    network.add(std::make_unique<Dense<float>>(1, 40, 40, Activation::kSoftmax, true));
  });
  expect_verbs({{4, 3, 3, 3, 3, 3, 3, 3, 3, 3}}, "it has 9 layers, more than 8");
  Case lamb = small;
  lamb.optimizer = OptimizerKind::kLamb;
  expect_verbs(lamb, "the optimizer's step waits for all gradients");
  {
    const Emulated tiny({4, 48 << 10, 4});
    expect_verbs({{784, 100, 10}}, "its weights do not fit into the blocks' shared memory");
  }
}

}  // namespace

void check_stacks() {
  check_ways();
  check_side_by_side<float>();
  check_side_by_side<double>();
  check_narrow_clusters<float>();
  check_narrow_clusters<double>();
  check_shapes<float>();
  check_shapes<double>();
  check_losses_and_rules<float>();
  check_losses_and_rules<double>();
}

}  // namespace lamina
