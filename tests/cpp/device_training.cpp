// Trainings on the emulated device: what is done there once, and what the host waits for.
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "base/fingerprint.h"
#include "checks.h"
#include "expect.h"
#include "nn/layers/alpha_dropout.h"
#include "nn/layers/dense.h"
#include "train/epochs.h"

namespace lamina {
namespace {

constexpr std::int64_t kRows = 90, kInputs = 7, kUnits = 9, kOutputs = 3;

// A small network with its own data, trained with Adam and dropout, of a kind that is no stack.
struct Small {
  explicit Small(std::int64_t units = kUnits, std::int64_t batch = 16, double clipnorm = 0)
      : network(kInputs, tested_backend<float>("emulated")), batch_size(batch) {
    network.add(std::make_unique<Dense<float>>(1, kInputs, units, Activation::kTanh, true));
    network.add(std::make_unique<AlphaDropout<float>>(units, 0.3, 5, 1, DropoutShape{}));
    network.add(std::make_unique<Dense<float>>(1, units, units, Activation::kTanh, true));
    network.add(std::make_unique<Dense<float>>(1, units, kOutputs, Activation::kLinear, true));
    network.build();
    fill_normal(network.parameters(), network.trainable_size(), {3, Purpose::kInitialise, 0, 0}, 0.0, 0.3,
                false);
    OptimizerForm form;
    form.kind = OptimizerKind::kAdam;
    form.learning_rate = 0.01;
    form.global_clipnorm = clipnorm;
    optimizer.emplace(form);
    TrainingForm training;
    training.metrics = {MetricKind::kMeanAbsoluteError};
    trainer.emplace(network, *optimizer, training);
    set_rows(kRows);
  }
  void set_rows(std::int64_t rows) {
    x = host_values<float>(rows * kInputs, 2);
    y = host_values<float>(rows * kOutputs, 3);
    data.x = rows_of(x, rows);
    data.y = rows_of(y, rows);
    data.number = unique_number();
  }
  // The epoch's means.
  std::vector<double> epoch(std::uint64_t number) {
    Lease lease;
    trainer->train(lease, 0, trainer->begin_epoch(lease, data, batch_size, Shuffle::kRows, 5, number));
    trainer->end_epoch();
    return trainer->epoch_standing().means;
  }
  // The means of three epochs, and the parameters after them.
  std::vector<double> found() {
    std::vector<double> all;
    for (std::uint64_t number = 0; number < 3; ++number) {
      const auto means = epoch(number);
      all.insert(all.end(), means.begin(), means.end());
    }
    all.insert(all.end(), network.parameters(), network.parameters() + network.trainable_size());
    return all;
  }

  Network<float> network;
  std::int64_t batch_size;
  std::optional<Optimizer<float>> optimizer;
  std::optional<Trainer<float>> trainer;
  std::vector<float> x, y;
  Dataset data;
};

void check_kept_data() {
  const auto second_epoch = [](bool keeps, bool looks, bool changes) {
    Small small;
    if (keeps) small.trainer->keep_data(looks);
    small.epoch(0);
    if (changes) small.y[17] = 100;
    return small.epoch(1);
  };
  const auto before = second_epoch(false, false, false), changed = second_epoch(false, false, true);
  expect(before != changed, "data that changed give other means");
  expect(second_epoch(true, false, true) == before, "a copy that is kept serves all epochs");
  expect(second_epoch(true, true, true) == changed, "a change is seen where it is looked for");
  expect(second_epoch(true, true, false) == before, "a look changes nothing");

  Small small;
  small.epoch(0);
  const std::int64_t without = cuda::bytes_in_use();
  small.trainer->keep_data(false);
  small.epoch(1);
  expect(cuda::bytes_in_use() > without, "data are kept between epochs");
  small.trainer->let_data_go();
  expect(cuda::bytes_in_use() == without, "and let go of at the end");
}

// Data for which a device has no room come batch by batch, by two places in turn.
void check_streams() {
  const auto trained = [](const char* room, bool keeps) {
    setenv("LAMINA_CUDA_ROOM", room, 1);
    Small small;
    if (keeps) small.trainer->keep_data(false);
    std::vector<double> all = small.found();
    Lease lease;
    small.trainer->evaluate(lease, small.data, 40);
    for (const double mean : small.trainer->evaluation_standing().means) all.push_back(mean);
    unsetenv("LAMINA_CUDA_ROOM");
    return all;
  };
  const auto resident = trained("1000000", false);
  expect(trained("100", false) == resident, "what is streamed gives the same bits");
  expect(trained("100", true) == resident, "also from epoch to epoch");
  setenv("LAMINA_CUDA_ROOM", "100", 1);
  Small small;
  small.epoch(0);
  const std::int64_t before = cuda::bytes_in_use();
  small.set_rows(16 * kRows);
  small.epoch(1);
  // The order of the rows is the device's.
  expect(cuda::bytes_in_use() - before == 15 * kRows * 8, "a larger data set takes no more memory");
  setenv("LAMINA_CUDA_ROOM", "much", 1);
  bool refused = false;
  try {
    small.set_rows(kRows);
    small.epoch(2);
  } catch (const std::runtime_error&) {
    refused = true;
  }
  expect(refused, "a room that is no number is refused");
  unsetenv("LAMINA_CUDA_ROOM");
}

void check_fingerprints() {
  std::vector<double> values(70 * 6);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(i) + 0.5;
  Rows rows = rows_of(values, 70);
  Rows reversed = rows;
  reversed.data += 40;
  reversed.strides = {-8};
  for (const Rows& each : {rows, reversed}) {
    Lease lease;
    const std::uint64_t print = fingerprint(lease, each);
    expect(fingerprint(lease, each) == print, "the same bytes have the same fingerprint");
    for (std::size_t i = 0; i < values.size(); i += 7) {
      values[i] = -values[i];
      expect(fingerprint(lease, each) != print, "a changed number changes it");
      values[i] = -values[i];
    }
    for (double& value : values) value = -value;
    expect(fingerprint(lease, each) != print, "and so do all signs together");
    for (double& value : values) value = -value;
  }
}

// What `train` finds by graphs, in a thread that has none yet, is what it finds without; returns what was
// replayed.
template <class Train>
cuda::Replays graphs_of(const std::string& what, Train&& train) {
  std::vector<double> found, expected;
  cuda::Replays counted, uncounted;
  std::thread([&] {
    found = train();
    counted = cuda::replays();
  }).join();
  std::thread([&] {
    cuda::makes_graphs() = false;
    expected = train();
    uncounted = cuda::replays();
    cuda::makes_graphs() = true;
  }).join();
  expect(uncounted.runs == 0, what + ": no graphs where they are switched off");
  expect(found == expected, what + ": a graph has other bits");
  return counted;
}

void check_graphs() {
  // Six batches; the third one makes the graph.
  const auto small = graphs_of("a small network", [] {
    Small even;
    even.set_rows(96);
    return even.found();
  });
  expect(small.graphs == 1 && small.runs == 15, "steps like those before are replayed");
  expect(small.sets == 0, "what changes from step to step is read from memory");
  // The last batch has other rows, but its launches have the same sizes.
  const auto uneven = graphs_of("a short last batch", [] { return Small().found(); });
  expect(uneven.graphs == 1 && uneven.runs == 15 && uneven.sets > 0, "what else changes is set");
  // More batches than are read together.
  const auto many = graphs_of("many batches", [] {
    Small long_one(kUnits, 1);
    long_one.set_rows(1100);
    return long_one.found();
  });
  expect(many.graphs == 1 && many.runs == 3297, "a graph serves to the end of all epochs");
  const auto waits = graphs_of("norms of gradients", [] { return Small(kUnits, 16, 0.5).found(); });
  expect(waits.graphs == 0 && waits.runs == 0, "a step that waits is no graph");
  const auto large = graphs_of("calls of a library", [] {
    Small wide(300, 256);
    wide.set_rows(1300);
    return wide.found();
  });
  expect(large.graphs == 1 && large.runs == 12, "calls of a library are part of a graph");
}

// Kernels of two sorts and a step that is torn.
void check_steps() {
  const cuda::Device device(0);
  Values<std::int64_t> out(4);
  std::int64_t* const at = out.data();
  std::vector<std::int64_t> found;
  cuda::replays() = {};
  const auto step = [&](std::int64_t number, bool waits) {
    device.begin_step();
    device.each<true>(1, [=](std::int64_t) { at[0] = 10 * at[0] % 100000 + number; });
    device.each(1, [=](std::int64_t) { at[1] = 10 * at[1] % 100000 + number; });
    if (waits) device.finish();
    device.each(1, [=](std::int64_t) { at[2] = at[0] + at[1]; });
    device.end_step();
  };
  for (std::int64_t number = 1; number < 8; ++number) step(number, false);
  expect(out[2] == 0, "a replayed step waits in the queue too");
  device.finish();
  expect(out[0] == 34567 && out[1] == 34567 && out[2] == 2 * 34567, "each run has the objects of its step");
  expect(cuda::replays().runs == 4 && cuda::replays().sets == 4, "what changes unforeseen is set");
  step(8, true);
  expect(out[0] == 45678 && out[2] == 2 * 34567, "within a step it can be waited");
  device.finish();
  expect(out[2] == 2 * 45678, "and the rest of it comes after");
}

// A clock and a device that takes a while for each batch.
struct Slow {
  using duration = std::chrono::microseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Slow>;
  static constexpr bool is_steady = true;
  static inline time_point time, done;  // now, and when the device will be through
  static time_point now() { return time; }

  duration each;  // batch
  mutable time_point marks[2];
  void ask() const {
    time += std::chrono::microseconds(30);  // of the host
    done = std::max(done, time) + each;
  }
  void mark(int which) const { marks[which] = done; }
  void await(int which) const { time = std::max(time, marks[which]); }
};

void check_pace() {
  for (const int microseconds : {10, 100, 3000, 50000}) {
    const Slow device{std::chrono::microseconds(microseconds), {}};
    Pace<Slow> pace;
    Slow::time = Slow::done = {};
    Slow::duration longest{0}, idle{0};
    for (int batch = 0; batch < 20000; ++batch) {
      if (batch > 10) idle += std::max(Slow::time - Slow::done, Slow::duration{0});
      device.ask();
      pace.batch(device);
      longest = std::max(longest, Slow::done - Slow::time);
    }
    const std::string what = "a device that takes " + std::to_string(microseconds) + " us a batch";
    expect(longest <= std::max(Slow::duration(40000), 2 * device.each),
           what + ": the host runs too far ahead");
    if (microseconds > 30) expect(idle == Slow::duration{0}, what + " waits for the host");
  }
}

}  // namespace

void check_device_training() {
  check_pace();
  check_kept_data();
  check_streams();
  check_graphs();
  std::thread(check_steps).join();
  check_fingerprints();
}

}  // namespace lamina
