// Trainings with every layer and every option of the optimizers, in double against the reference backend: in
// float Lion's signs and the edges of sparsemax would part the two.
#include <memory>
#include <optional>
#include <set>

#include "checks.h"
#include "expect.h"
#include "kernels/select.h"
#include "nn/layers/activation.h"
#include "nn/layers/alpha_dropout.h"
#include "nn/layers/batch_norm.h"
#include "nn/layers/dense.h"
#include "nn/layers/nonlinear.h"
#include "nn/layers/normal_noise.h"
#include "nn/layers/output_penalty.h"
#include "nn/layers/prelu.h"
#include "nn/layers/rearrangement.h"
#include "nn/layers/row_normalisation.h"
#include "nn/layers/standardisation.h"
#include "nn/schedule.h"
#include "train/trainer.h"

namespace lamina {
namespace {

constexpr std::int64_t kRows = 53, kInputs = 29, kUnits = 24, kClasses = 5;

template <class T>
void build(Network<T>& network) {
  using Shape = typename RowNormalisation<T>::Shape;
  const auto add = [&](std::unique_ptr<Layer<T>> layer) { network.add(std::move(layer)); };
  const auto normalise = [&](Shape shape, Normalisation kind, const char* gamma, bool center) {
    add(std::make_unique<RowNormalisation<T>>(shape, kind, 1e-3, gamma, center,
                                              std::vector<std::int64_t>{shape.parameters()}));
  };
  std::vector<std::int64_t> reversed, shared;
  for (std::int64_t j = 0; j < kUnits; ++j) {
    reversed.push_back(kUnits - 1 - j);
    shared.push_back(j % 6);
  }
  add(std::make_unique<Standardisation<T>>(kInputs));
  add(std::make_unique<Dense<T>>(1, kInputs, kUnits, Activation::kLinear, false));
  add(std::make_unique<Nonlinear<T>>(1, kUnits, Nonlinearity<T>{NonlinearKind::kGelu}, false));
  add(std::make_unique<Rearrangement<T>>(reversed));
  normalise({1, kUnits, 1, 1}, Normalisation::kStandard, "gamma", true);
  add(std::make_unique<NormalNoise<T>>(kUnits, 0.1, false, 7, 5));
  add(std::make_unique<NormalNoise<T>>(kUnits, 0.1, true, 7, 6));
  add(std::make_unique<AlphaDropout<T>>(kUnits, 0.2, 7, 7, DropoutShape{shared, 6, true}));
  normalise({4, 6, 1, 2}, Normalisation::kRootMeanSquare, "scale", false);
  add(std::make_unique<PRelu<T>>(kUnits, std::vector<std::int64_t>{kUnits}, std::vector<std::int64_t>{}));
  add(std::make_unique<OutputPenalty<T>>(kUnits, Penalty<T>{T(0.01), T(0.02)}));
  add(std::make_unique<Dense<T>>(4, 6, 6, Activation::kTanh, true));
  normalise({1, kUnits, 1, 1}, Normalisation::kUnit, "", false);
  add(std::make_unique<PRelu<T>>(kUnits, std::vector<std::int64_t>{6}, shared));
  add(std::make_unique<Nonlinear<T>>(2, 12, Nonlinearity<T>{NonlinearKind::kGlu}, false));
  add(std::make_unique<Dense<T>>(1, 12, kClasses, Activation::kSoftmax, true));
  network.build();
  std::uint32_t stream = 0;
  for (const auto& layer : network.layers())
    for (const Parameter& p : layer->parameters())
      for (std::int64_t i = 0; i < p.rows; ++i)  // not the ends of rows, which are 0
        fill_uniform(network.parameters() + p.offset + i * p.stride, p.cols,
                     {1, Purpose::kInitialise, stream++, 0}, 0.1, 0.6);
}

// A penalty or constraint of each kind, the caller's own too.
template <class T>
void restrain(Network<T>& network) {
  const auto& layers = network.layers();
  Layer<T>&first = *layers[1], &middle = *layers[11], &last = *layers[15];
  first.penalise(0, {0.01, 0.02});
  first.penalise_angles(0, 0.1, true);
  middle.penalise_angles(0, 0.1, false);
  middle.constrain(0, {ConstraintKind::kMinMaxNorm, NormOver::kColumns, 0.5, 1, 0.75, 0.25, 1e-7});
  middle.constrain(1, {ConstraintKind::kNonNegative});
  layers[4]->constrain(0, {ConstraintKind::kUnitNorm, NormOver::kAll, 0, 0, 1, 0, 1e-7});
  last.constrain(0, {ConstraintKind::kMaxNorm, NormOver::kRows, 0, 1, 1, 0, 1e-7});
  OwnRestraint<T> own;
  own.parameter = 1;
  own.penalty = [](const Parameter& p, const T* w, T* dw) {
    for (std::int64_t j = 0; dw != nullptr && j < p.cols; ++j) dw[j] += T(0.25) * w[j];
    return 0.5;
  };
  own.constraint = [](const Parameter& p, T* w) {
    for (std::int64_t j = 0; j < p.cols; ++j) w[j] = std::min(w[j], T(0.25));
  };
  last.restrain(std::move(own));
}

std::vector<MetricSpec> metrics() {
  std::vector<MetricSpec> all;
  MetricSpec loss(MetricKind::kCategoricalAccuracy);
  all.push_back(loss);
  loss.way = MetricSpec::Way::kLoss;
  loss.loss = LossSpec(LossKind::kKlDivergence);
  loss.weighted = true;
  all.push_back(loss);
  for (const auto kind : {TallyForm::Kind::kThresholds, TallyForm::Kind::kBuckets, TallyForm::Kind::kClasses,
                          TallyForm::Kind::kMoments}) {
    MetricSpec tally;
    tally.way = MetricSpec::Way::kTally;
    tally.tally.kind = kind;
    tally.tally.buckets = 7;
    if (kind == TallyForm::Kind::kThresholds) tally.tally.thresholds = {0.25, 0.5};
    tally.weighted = kind != TallyForm::Kind::kMoments;
    all.push_back(tally);
  }
  MetricSpec own;
  own.way = MetricSpec::Way::kOwn;
  all.push_back(own);
  return all;
}

struct Course {
  OptimizerForm form;
  bool restrained = false;
  std::optional<ScheduleKind> schedule;
  bool frozen = false;     // every other layer
  bool delegated = false;  // to two optimizers
  RowAxes axes = {};
  std::vector<double> alphas = {};  // of the categorical focal loss
};

// Two optimizers, for every other one of a network's learning parameters.
template <class T>
struct Parts {
  Parts(const OptimizerForm& form, const Network<T>& network) : even(form), odd(form) {
    const std::vector<const Parameter*> all = network.parameter_list();
    for (const bool is_odd : {false, true}) {
      std::vector<std::size_t> known;
      std::vector<Parameter> parameters;
      for (std::size_t i = is_odd ? 1 : 0; i < all.size(); i += 2) {
        if (!all[i]->learns()) continue;
        known.push_back(i);
        parameters.push_back(*all[i]);
      }
      Optimizer<T>& part = is_odd ? odd : even;
      part.bind(std::move(parameters), network.trainable_size(), network.parameters());
      part.bind(network, known);
    }
  }
  Optimizer<T> even, odd;
};

// The learning parameters after three epochs, and the losses.
template <class T>
std::vector<T> train(const char* backend, const Course& course) {
  Network<T> network(kInputs, tested_backend<T>(backend));
  build(network);
  if (course.restrained) restrain(network);
  if (course.frozen) {
    std::vector<bool> parameters, statistics;
    for (std::size_t i = 0; i < network.layers().size(); ++i) {
      statistics.push_back(i % 2 == 1 && i > 1);
      parameters.insert(parameters.end(), network.layers()[i]->parameters().size(), statistics.back());
    }
    network.freeze(parameters, statistics);
  }
  Optimizer<T> optimizer(course.form);
  if (course.schedule)
    optimizer.set_schedule([kind = *course.schedule](std::int64_t step) {
      ScheduleForm form;
      form.kind = kind;
      form.initial = 0.01;
      form.steps = 5;
      form.rate = 0.5;
      form.boundaries = {2, 4};
      form.values = {0.03, 0.02, 0.01};
      return static_cast<double>(rate_at(form, static_cast<double>(step), true));
    });
  TrainingForm training;
  training.loss = LossKind::kCategoricalCrossentropy;
  if (!course.alphas.empty()) training.loss = LossKind::kCategoricalFocal;
  training.loss.label_smoothing = 0.1;
  training.loss.alphas = course.alphas;
  training.loss.axes = course.axes;
  training.metrics = metrics();
  Own<T> own;
  own.metrics = {[](const Seen<T>& seen) { return static_cast<double>(seen.prediction.data[0]); }};
  Trainer<T> trainer(network, optimizer, training, own);
  std::optional<Parts<T>> parts;
  if (course.delegated) {
    parts.emplace(course.form, network);
    optimizer.delegate({&parts->even, &parts->odd});
  }

  const std::vector<T> x = host_values<T>(kRows * kInputs, 2);
  std::vector<T> y(static_cast<std::size_t>(kRows * kClasses), T(0)),
      weights(static_cast<std::size_t>(kRows));
  for (std::int64_t i = 0; i < kRows; ++i) {
    y[static_cast<std::size_t>(i * kClasses + i % kClasses)] = T(1);
    weights[static_cast<std::size_t>(i)] = static_cast<T>(i % 4) / 2;
  }
  Dataset data;
  data.x = rows_of(x, kRows);
  data.y = rows_of(y, kRows);
  if (!course.axes.batch) data.weight = rows_of(weights, kRows);
  Lease lease;
  check(lease, data, trainer.data_form());
  std::vector<T> found;
  for (std::uint64_t epoch = 0; epoch < 3; ++epoch) {
    trainer.train(lease, 0, trainer.begin_epoch(lease, data, 16, Shuffle::kWithinBatches, 5, epoch));
    trainer.evaluate(lease, data, 20);
    for (const Standing& standing : {trainer.epoch_standing(), trainer.evaluation_standing()})
      for (const double mean : standing.means) found.push_back(static_cast<T>(mean));
  }
  for (const Parameter* p : network.parameter_list()) {
    if (!p->learns()) continue;
    const T* const w = network.parameters() + p->offset;
    found.insert(found.end(), w, w + p->extent());
  }
  return found;
}

std::vector<Course> courses() {
  std::vector<Course> all;
  for (int kind = 0; kind <= static_cast<int>(OptimizerKind::kMuon); ++kind) {
    Course course;
    course.form.kind = static_cast<OptimizerKind>(kind);
    course.form.learning_rate = 0.01;
    course.form.momentum = 0.5;
    course.form.epsilon = 1e-3;
    course.form.amsgrad = course.form.centered = true;
    // Each option meets some kind; what waits for whole gradients and what does not takes turns.
    if (kind % 3 != 1) course.form.weight_decay = 0.1;
    if (kind % 4 == 1) course.form.clipnorm = 0.5;
    if (kind % 4 == 2) course.form.global_clipnorm = 0.5;
    if (kind % 4 == 3) course.form.clipvalue = 0.05;
    if (kind % 5 == 2) course.form.gradient_accumulation_steps = 3;
    course.form.use_ema = kind % 3 == 0;
    course.form.ema_overwrite_frequency = kind % 2 == 0 ? 2 : 0;
    course.restrained = kind % 2 == 1;
    course.frozen = kind % 5 == 4;
    if (kind < 6) course.schedule = static_cast<ScheduleKind>(kind);
    course.delegated = kind % 3 == 2;
    if (kind % 4 == 0) course.axes = {{0, 1, 2, 3, 4}, 1, true};  // a class's row goes through the samples
    if (kind % 4 == 2) course.axes = {{4, 2, 0, 1, 3}, kClasses, false};
    if (kind % 8 == 2) course.alphas = {0.1, 0.2, 0.3, 0.4, 0.5};
    all.push_back(course);
  }
  return all;
}

}  // namespace

void check_surface(const char* backend) {
  for (const Course& course : courses()) {
    const std::string what =
        chosen_isa() + ", " + backend + ": optimizer " + std::to_string(static_cast<int>(course.form.kind));
    const auto got = train<double>(backend, course), expected = train<double>("reference", course);
    expect(got.size() == expected.size(), what + ": as many numbers");
    for (std::size_t i = 0; i < got.size(); ++i)
      // Twelve steps of rounding; an error in a formula is many orders larger.
      expect(std::abs(got[i] - expected[i]) < 1e-9 * (1 + std::abs(expected[i])),
             what + ": number " + std::to_string(i) + ": " + std::to_string(got[i]) + " is not " +
                 std::to_string(expected[i]));
    for (const float value : train<float>(backend, course))
      expect(std::isfinite(value), what + ": a number is not finite");
  }
}

}  // namespace lamina
