// The core without Python, for the sanitizers: every verb and layer, odd sizes, several threads at once, an
// interrupted run. Results are compared with the reference backend's; the full tests are tests/*.py.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "checks.h"
#include "expect.h"
#include "kernels/select.h"
#include "nn/layers/activation.h"
#include "nn/layers/batch_norm.h"
#include "nn/layers/dense.h"
#include "nn/layers/dense_bfloat16.h"
#include "nn/layers/dropout.h"
#include "nn/layers/rescaling.h"
#include "train/predictor.h"
#include "train/together.h"
#include "train/trainer.h"

namespace lamina {
namespace {

template <class T>
void finish(Network<T>& network) {
  network.build();
  std::uint32_t stream = 0;
  for (const auto& layer : network.layers())
    for (const Parameter& p : layer->parameters())
      fill_uniform(network.parameters() + p.offset, p.extent(), {1, Purpose::kInitialise, stream++, 0}, 0.1,
                   0.6);
}

template <class T>
void build(Network<T>& network, std::int64_t inputs, std::int64_t classes) {
  network.add(std::make_unique<Dense<T>>(1, inputs, 37, Activation::kTanh, true));
  network.add(std::make_unique<BatchNorm<T>>(1, 37, 0.99, 1e-3, true, true));
  network.add(std::make_unique<ActivationLayer<T>>(1, 37, Activation::kSigmoid));
  network.add(std::make_unique<Dropout<T>>(37, 0.25, 7, 3));
  network.add(std::make_unique<Dense<T>>(1, 37, 19, Activation::kRelu, false));
  network.add(std::make_unique<Dense<T>>(1, 19, classes, Activation::kSoftmax, true));
  finish(network);
}

// Of more than one tile of work, with rows' ends of one's own.
void build_bfloat16(Network<float>& network, std::int64_t inputs, std::int64_t classes) {
  const Bfloat16Backend& verbs = bfloat16_backend_named(network.backend().name());
  const auto add = [&](std::int64_t from, std::int64_t to, Activation a, bool bias) {
    network.add(std::make_unique<DenseBfloat16>(verbs, 1, from, to, a, bias, true));
  };
  add(inputs, 70, Activation::kRelu, true);
  add(70, 45, Activation::kTanh, false);
  add(45, classes, Activation::kSoftmax, true);
  finish(network);
}

constexpr std::int64_t kRows = 53, kInputs = 29, kClasses = 5;

// The parameters after two epochs.
template <class T>
std::vector<T> train(const char* backend, OptimizerKind optimizer_kind, LossKind loss,
                     Interrupt* interrupt = nullptr) {
  Network<T> network(kInputs, tested_backend<T>(backend));
  build(network, kInputs, kClasses);
  OptimizerForm form;
  form.kind = optimizer_kind;
  form.learning_rate = 0.01;
  form.momentum = 0.9;
  form.amsgrad = form.centered = true;
  Optimizer<T> optimizer(form);
  TrainingForm training;
  training.loss = loss;
  if (loss == LossKind::kSparseCategoricalCrossentropy)
    training.metrics = {MetricKind::kSparseCategoricalAccuracy};
  else
    training.metrics = {MetricKind::kCategoricalAccuracy, MetricKind::kMeanAbsoluteError};
  Trainer<T> trainer(network, optimizer, training);

  const std::vector<T> x = host_values<T>(kRows * kInputs, 2);
  std::vector<T> y(static_cast<std::size_t>(kRows * kClasses), T(0)), labels(static_cast<std::size_t>(kRows));
  for (std::int64_t i = 0; i < kRows; ++i) {
    labels[static_cast<std::size_t>(i)] = static_cast<T>(i % kClasses);
    y[static_cast<std::size_t>(i * kClasses + i % kClasses)] = T(1);
  }
  Dataset data;
  data.x = rows_of(x, kRows);
  data.y = trainer.data_form().labels ? rows_of(labels, kRows) : rows_of(y, kRows);
  Lease lease(interrupt);
  check(lease, data, trainer.data_form());
  for (std::uint64_t epoch = 0; epoch < 2; ++epoch)
    trainer.train(
        lease, 0,
        trainer.begin_epoch(lease, data, 16, Shuffle::kRows, 5, epoch));  // the last batch has 5 rows
  trainer.evaluate(lease, data, 16);
  expect(std::isfinite(trainer.evaluation_standing().means[0]), "the loss is finite");

  PredictorPool<T> pool(network);
  auto predictor = pool.take(7);
  std::vector<T> out(7 * kClasses);
  predictor->run(lease, data.x, 46, {out.data(), 7, kClasses});
  pool.give_back(std::move(predictor));
  return {network.parameters(), network.parameters() + network.trainable_size()};
}

template <class T>
void compare_with_reference(const char* backend, OptimizerKind optimizer, LossKind loss) {
  const std::vector<T> got = train<T>(backend, optimizer, loss),
                       expected = train<T>("reference", optimizer, loss);
  // Eight steps of rounding; an error in a formula is many orders larger.
  const double tolerance = sizeof(T) == sizeof(float) ? 2e-3 : 1e-10;
  for (std::size_t i = 0; i < got.size(); ++i)
    expect(std::abs(static_cast<double>(got[i] - expected[i])) < tolerance,
           chosen_isa() + ", " + backend + ": parameter " + std::to_string(i) + ": " +
               std::to_string(got[i]) + " is not " + std::to_string(expected[i]));
}

// The parameters after a step that was taken with each gradient, or after all of them.
template <class T>
std::vector<T> step(void (*build)(Network<T>&, std::int64_t, std::int64_t), OptimizerKind kind,
                    bool at_once) {
  Network<T> network(kInputs, backend_named<T>("cpu"));
  build(network, kInputs, kClasses);
  OptimizerForm form;
  form.kind = kind;
  form.learning_rate = 0.1;
  Optimizer<T> optimizer(form);
  optimizer.bind(network);
  std::vector<T> gradients(static_cast<std::size_t>(network.trainable_size()));
  const std::vector<T> x = host_values<T>(kRows * kInputs, 3);
  const Update<T> update = optimizer.update(gradients.data(), network.parameters());
  Forward<T> forward(network, kRows, Mode::kTraining);
  Lease lease;
  Pass<T> pass{network.backend(), lease, network.parameters(), gradients.data(), true};
  forward.run(pass, {x.data(), kRows, kInputs});
  const Matrix<T> dy = forward.output_gradient(kRows);
  std::fill_n(dy.data, dy.size(), T(0.01));
  dy.data[0] = T(1);
  if (at_once) pass.update = &update;
  forward.backward(pass, false);
  if (!at_once) network.backend().update(lease, update, gradients.data(), network.trainable_size());
  return {network.parameters(), network.parameters() + network.trainable_size()};
}

// The ends of a weight matrix's rows stay 0, also where what is read is shifted on the way.
template <class T>
void check_padding() {
  constexpr std::int64_t rows = 40, inputs = 20, units = 3;
  Network<T> network(inputs, backend_named<T>("cpu"));
  network.add(std::make_unique<Rescaling<T>>(inputs, 2.0, -1.0));
  network.add(std::make_unique<Dense<T>>(1, inputs, units, Activation::kLinear, true));
  network.build();
  OptimizerForm form;
  form.kind = OptimizerKind::kAdam;
  form.learning_rate = 0.1;
  Optimizer<T> optimizer(form);
  Trainer<T> trainer(network, optimizer, {});
  const std::vector<T> x = host_values<T>(rows * inputs, 4), y = host_values<T>(rows * units, 5);
  Dataset data;
  data.x = rows_of(x, rows);
  data.y = rows_of(y, rows);
  Lease lease;
  for (std::uint64_t epoch = 0; epoch < 3; ++epoch)
    trainer.train(lease, 0, trainer.begin_epoch(lease, data, 20, Shuffle::kRows, 5, epoch));
  const Parameter& kernel = network.layers()[1]->parameters()[0];
  for (std::int64_t i = 0; i < kernel.extent(); ++i)
    if (i % kernel.stride >= inputs)
      expect(network.parameters()[kernel.offset + i] == T(0), chosen_isa() + ": the end of a row is not 0");
}

template <class T>
void check_update_at_once(void (*build)(Network<T>&, std::int64_t, std::int64_t)) {
  for (const auto kind :
       {OptimizerKind::kSgd, OptimizerKind::kRmsprop, OptimizerKind::kAdagrad, OptimizerKind::kAdam})
    expect(step<T>(build, kind, true) == step<T>(build, kind, false),
           chosen_isa() + ": a step taken at once has other bits");
}

void check_interrupt() {
  Interrupt interrupt([] { throw std::runtime_error("stop"); }, Interrupt::Clock::duration::zero());
  bool stopped = false;
  try {
    train<float>("cpu", OptimizerKind::kSgd, LossKind::kMeanSquaredError, &interrupt);
  } catch (const std::runtime_error& error) {
    stopped = std::string(error.what()) == "stop";
  }
  expect(stopped, "an interrupt ends the run with its own exception");
}

void check_threads() {
  const auto alone = train<float>("cpu", OptimizerKind::kAdam, LossKind::kSparseCategoricalCrossentropy);
  std::vector<std::vector<float>> results(4);
  std::vector<std::thread> threads;
  for (auto& result : results)
    threads.emplace_back([&result] {
      result = train<float>("cpu", OptimizerKind::kAdam, LossKind::kSparseCategoricalCrossentropy);
    });
  for (auto& thread : threads) thread.join();
  for (const auto& result : results) expect(result == alone, "the same bits from concurrent threads");
}

// A network with its own trainer and data, over epochs that end with a validation.
template <class T>
struct Course {
  explicit Course(OptimizerKind kind, std::int64_t last = 3)
      : network(kInputs, backend_named<T>("cpu")),
        optimizer(form(kind)),
        x(host_values<T>(kRows * kInputs, 2)) {
    build(network, kInputs, kClasses);
    trainer.emplace(network, optimizer, TrainingForm{});
    y.assign(static_cast<std::size_t>(kRows * kClasses), T(0.2));
    data.x = rows_of(x, kRows);
    data.y = rows_of(y, kRows);
    EpochsForm epochs{0, last, 16, Shuffle::kRows, 5, 0, 16, 1, {}, 0};
    run.emplace(*trainer, data, &data, epochs);
  }
  static OptimizerForm form(OptimizerKind kind) {
    OptimizerForm form;
    form.kind = kind;
    form.learning_rate = 0.01;
    return form;
  }
  std::vector<T> parameters() const {
    return {network.parameters(), network.parameters() + network.trainable_size()};
  }

  Network<T> network;
  Optimizer<T> optimizer;
  std::optional<Trainer<T>> trainer;
  std::vector<T> x, y;
  Dataset data;
  std::optional<TrainerEpochs<T>> run;
};

void check_together() {
  std::vector<std::unique_ptr<Course<float>>> some;
  std::vector<std::unique_ptr<Course<double>>> others;
  std::vector<Epochs*> runs;
  for (const auto kind : {OptimizerKind::kSgd, OptimizerKind::kAdam, OptimizerKind::kRmsprop}) {
    runs.push_back(&*some.emplace_back(std::make_unique<Course<float>>(kind))->run);
    runs.push_back(&*others.emplace_back(std::make_unique<Course<double>>(kind))->run);
    Course<float> alone(kind);
    Lease lease;
    alone.run->run(lease);
    some.push_back(std::make_unique<Course<float>>(kind));
    runs.push_back(&*some.back()->run);
    Interrupt never;
    const auto errors = run_together(never, runs);
    for (const auto& error : errors) expect(error == nullptr, "no error of a run");
    expect(some.back()->parameters() == alone.parameters(), "the same bits together as alone");
    expect(runs.back()->take() == alone.run->take(), "the same means together as alone");
    runs.clear();
  }
  // So long that they can't be over before the caller looks up.
  constexpr std::int64_t long_last = 1 << 20;
  Course<float> one(OptimizerKind::kSgd, long_last), two(OptimizerKind::kSgd, long_last);
  expect(an_interrupt_ends({&*one.run, &*two.run}), "an interrupt ends all runs with its own exception");
}

void run_on_cpu() {
  for (const auto& isa : usable_isas()) {
    choose_isa(isa);
    check_activations();
    check_sample_verbs();
    check_weight_verbs();
    check_loss_verbs();
    check_surface("cpu");
    check_bfloat16_verbs();
    check_padding<float>();
    check_padding<double>();
    check_update_at_once<float>(build);
    check_update_at_once<double>(build);
    check_update_at_once<float>(build_bfloat16);
    for (const auto optimizer :
         {OptimizerKind::kSgd, OptimizerKind::kRmsprop, OptimizerKind::kAdagrad, OptimizerKind::kAdam})
      for (const auto loss : {LossKind::kMeanSquaredError, LossKind::kBinaryCrossentropy,
                              LossKind::kCategoricalCrossentropy, LossKind::kSparseCategoricalCrossentropy}) {
        compare_with_reference<float>("cpu", optimizer, loss);
        compare_with_reference<double>("cpu", optimizer, loss);
      }
  }
  for (const int threads : {1, 2, 3}) {
    set_num_threads(threads);
    check_interrupt();
    check_team();
    check_thread_choice();
    check_threads();
    check_together();
  }
}

void run_on_emulated_device() {
  check_device_verbs();
  check_stacks();
  check_device_training();
  check_surface("emulated");
  for (const auto optimizer : {OptimizerKind::kSgd, OptimizerKind::kAdam})
    for (const auto loss : {LossKind::kMeanSquaredError, LossKind::kSparseCategoricalCrossentropy}) {
      compare_with_reference<float>("emulated", optimizer, loss);
      compare_with_reference<double>("emulated", optimizer, loss);
    }
}

}  // namespace
}  // namespace lamina

// smoke cpu | emulated
int main(int count, char** words) {
  const std::string device = count == 2 ? words[1] : "";
  if (device == "cpu") {
    lamina::run_on_cpu();
  } else if (device == "emulated") {
    lamina::run_on_emulated_device();
  } else {
    std::puts("smoke: cpu or emulated?");
    return 2;
  }
  std::printf("smoke: passed, %s\n", device.c_str());
}
