// Losses, metrics of rows, and tallies.
#include "alike.h"
#include "checks.h"

namespace lamina {
namespace {

// Probabilities, class numbers and the same as one-hot rows, and weights.
template <class T>
struct Answers {
  Answers() : prediction(verb_rows * verb_cols), values(prediction.size(), T(0)), labels(verb_rows) {
    const auto x = random_values<T>(verb_rows * verb_cols, 41);
    for (std::size_t i = 0; i < x.size(); ++i) prediction[i] = T(1) / (T(1) + std::exp(-x[i]));
    for (std::size_t i = 0; i < labels.size(); ++i) {
      labels[i] = static_cast<std::int64_t>(i * 11) % verb_cols;
      values[i * verb_cols + static_cast<std::size_t>(labels[i])] = T(1);
      weights.push_back(static_cast<T>(i % 5) / 4);
    }
  }
  Target<T> target(bool by_label) const {
    return by_label ? Target<T>{labels.data(), {}} : Target<T>{nullptr, verb_matrix(values)};
  }
  Values<T> prediction, values, weights;
  Values<std::int64_t> labels;
};

template <class T>
void check_loss(const Answers<T>& answers, LossForm<T> form) {
  expect_alike<T>(
      "loss " + std::to_string(static_cast<int>(form.kind)), [&](const auto& backend, Lease& lease) {
        Values<T> rows(verb_rows), gradient(answers.prediction.size());
        Values<double> sum(1);
        backend.loss(lease, form, verb_matrix(answers.prediction), answers.target(takes_labels(form.kind)),
                     answers.weights.data(), T(0.5), rows.data(), verb_matrix(gradient), sum.data());
        backend.finish();
        gradient.push_back(static_cast<T>(sum[0] / static_cast<double>(verb_rows)));
        return gradient;
      });
}

template <class T>
void check_metric(const Answers<T>& answers, MetricKind kind) {
  const MetricForm<T> form{kind, T(0.5), 3};
  expect_alike<T>(
      "metric " + std::to_string(static_cast<int>(kind)),
      [&](const auto& backend, Lease& lease) {
        Values<T> rows(verb_rows);
        Values<double> sums(2);
        for (const bool by_weight : {false, true})
          backend.metric(lease, form, verb_matrix(answers.prediction), answers.target(takes_labels(kind)),
                         by_weight ? answers.weights.data() : nullptr, rows.data(),
                         sums.data() + (by_weight ? 1 : 0));
        backend.finish();
        for (const double sum : sums) rows.push_back(static_cast<T>(sum));
        return rows;
      },
      kind >= MetricKind::kPearsonCorrelation ? verb_cols : 1);  // of one-hot rows
}

template <class T>
void check_tally(const Answers<T>& answers, const TallyForm& form) {
  expect_alike<T>("tally", [&](const auto& backend, Lease& lease) {
    Values<double> state(static_cast<std::size_t>(form.size(verb_cols)));
    for (const T* weights : {answers.weights.data(), static_cast<const T*>(nullptr)})
      backend.tally(lease, form, verb_matrix(answers.prediction), verb_matrix(answers.values), weights,
                    state.data());
    backend.finish();
    return Values<T>(state.begin(), state.end());
  });
}

template <class T>
void check() {
  const Answers<T> answers;
  for (int kind = 0; kind <= static_cast<int>(LossKind::kCircle); ++kind) {
    LossForm<T> form;
    form.kind = static_cast<LossKind>(kind);
    form.alpha = form.beta = T(0.25);
    form.gamma = T(2);
    check_loss(answers, form);
    if (!takes_head_logits(form.kind)) continue;
    form.logits = true;
    form.label_scale = T(0.875);
    form.label_shift = T(0.125) / static_cast<T>(verb_cols);
    check_loss(answers, form);
  }
  for (int kind = 0; kind <= static_cast<int>(MetricKind::kConcordanceCorrelation); ++kind)
    check_metric(answers, static_cast<MetricKind>(kind));
  for (const bool by_label : {false, true}) {
    TallyForm form;
    form.by_label = by_label;
    form.thresholds = {0.25, 0.5};
    check_tally(answers, form);
    form.top_k = 3;
    form.class_id = 2;
    check_tally(answers, form);
    form = {};
    form.kind = TallyForm::Kind::kBuckets;
    form.by_label = form.first_takes_all = form.sigmoid = by_label;
    form.buckets = 11;
    if (by_label) form.label_weights.assign(verb_cols, 0.5);
    check_tally(answers, form);
  }
  TallyForm form;
  for (form.kind = TallyForm::Kind::kClasses; const auto& thresholds : {std::vector<double>{}, {0.5}}) {
    form.thresholds = thresholds;
    check_tally(answers, form);
  }
  form.kind = TallyForm::Kind::kMoments;
  check_tally(answers, form);
}

}  // namespace

void check_loss_verbs() {
  check<float>();
  check<double>();
}

}  // namespace lamina
