// Trainings of stacks of dense layers by the persistent kernel of an emulated GPU: against the reference
// backend, against its own verbs, and whatever the number and the order of blocks.
#include <memory>
#include <optional>
#include <set>

#include "backend/cuda/stack_plan.h"
#include "checks.h"
#include "nn/layers/alpha_dropout.h"
#include "stack_case.h"
#include "train/together.h"

namespace lamina {
namespace {

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

// Weights of the rows, with every reduction, and numbers that are dropped, of the input and within: over all
// ways to share out layers.
template <class T>
void check_weights_and_drops() {
  for (const Reduction reduction :
       {Reduction::kMean, Reduction::kSum, Reduction::kWeightedMean, Reduction::kNone})
    for (const bool weighted : {false, true}) {
      Case of{{130, 40, 5}, weighted ? 31 : 32};
      of.reduction = reduction;
      of.weighted = weighted;
      of.loss = reduction == Reduction::kSum ? LossKind::kMeanSquaredError : of.loss;
      check<T>(of);
    }
  for (const std::vector<std::int64_t>& widths : std::vector<std::vector<std::int64_t>>{
           {784, 10}, {130, 40, 10}, {13, 64, 64, 3}, {500, 20, 500, 3}, {60, 160, 90, 70, 2}, {3, 2}})
    for (const double input_rate : {0.0, 0.3}) {
      Case of{widths};
      of.input_rate = input_rate;
      of.rate = input_rate > 0 ? 0.25 : 0.5;
      of.weighted = of.bytes = input_rate > 0;
      of.crossings = widths.size() == 3 ? 2 : 1;
      check<T>(of);
    }
  Case all{{20, 17, 5}};
  all.rate = 1;
  check<T>(all);
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
    if (by_verbs)
      network.add(std::make_unique<AlphaDropout<T>>(of.widths.front(), 0.5, 1, 1, DropoutShape{}));
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
  for (const cuda::Limits limits :
       {kDevice, cuda::Limits{1, kAmple, 0}, cuda::Limits{1, kAmple, 1}, cuda::Limits{40, kAmple, 0},
        cuda::Limits{40, kAmple, 5}, cuda::Limits{132, kAmple, 8}}) {
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
  expect_verbs(small, "a layer is not dense", [](Network<float>& network) {
    network.add(std::make_unique<AlphaDropout<float>>(40, 0.5, 1, 1, DropoutShape{}));
  });
  expect_verbs(small, "a layer is not dense", [](Network<float>& network) {
    for (const std::uint32_t stream : {1u, 2u})
      network.add(std::make_unique<Dropout<float>>(40, 0.5, 1, stream));
  });
  expect_verbs(small, "a layer is not dense", [](Network<float>& network) {
    network.add(
        std::make_unique<Dropout<float>>(40, 0.5, 1, 1, DropoutShape{std::vector<std::int64_t>(40), 1}));
  });
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
  check_weights_and_drops<float>();
  check_weights_and_drops<double>();
}

}  // namespace lamina
