// A training of a stack of dense layers, by the persistent kernel of an emulated GPU or by verbs, and how its
// results are compared.
#pragma once

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "expect.h"
#include "nn/layers/activation.h"
#include "nn/layers/dense.h"
#include "nn/layers/dropout.h"
#include "nn/layers/rescaling.h"
#include "train/trainer.h"

namespace lamina {

inline constexpr std::int64_t kRows = 75;
inline constexpr cuda::Limits kDevice{132, 232448, 16};  // an H100
inline constexpr cuda::Limits kNone{0, 0, 0};            // one whose blocks can't wait
inline constexpr std::int64_t kAmple = std::int64_t{1} << 30;

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
  bool weighted = false;            // samples have weights, and so have the metrics
  double input_rate = 0, rate = 0;  // of the input and of the layers' outputs some numbers are dropped
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

inline OptimizerForm optimizer_form(const Case& of) {
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
  std::uint32_t dropout = 0;
  const auto drop = [&](std::int64_t width, double rate) {
    if (rate > 0) network.add(std::make_unique<Dropout<T>>(width, rate, 7, ++dropout));
  };
  drop(inputs, of.input_rate);
  for (std::size_t l = 1; l < of.widths.size(); ++l) {
    const bool last = l + 1 == of.widths.size(), bias = l % 3 != 2;
    const Activation a = last ? of.head : of.hidden[(l - 1) % of.hidden.size()];
    const bool apart = l == 1 && !last;  // an activation that is a layer of its own
    network.add(
        std::make_unique<Dense<T>>(1, of.widths[l - 1], of.widths[l], apart ? Activation::kLinear : a, bias));
    if (apart) network.add(std::make_unique<ActivationLayer<T>>(1, of.widths[l], a));
    if (!last) drop(of.widths[l], of.rate);
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
  for (MetricSpec& metric : training.metrics) metric.weighted = of.weighted;
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
  std::vector<T> weights(static_cast<std::size_t>(kRows));
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<T>(i * i % 8) / 4;
  if (of.weighted) data.weight = rows_of(weights, kRows);
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

inline std::string name_of(const Case& of) {
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

}  // namespace lamina
