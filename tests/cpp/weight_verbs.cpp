// What happens to weights: penalties, constraints, blends of flat ranges, and the steps of the optimizers.
#include "alike.h"
#include "checks.h"

namespace lamina {
namespace {

template <class T>
void check_penalty(const Penalty<T>& form) {
  const auto x = random_values<T>(verb_rows * verb_cols, 31);
  expect_alike<T>("penalty", [&](const auto& backend, Lease& lease) {
    Values<T> rows(verb_rows), gradient(x);
    Values<double> sums(2);
    backend.penalty(lease, form, verb_matrix(x), T(0), rows.data(), {}, sums.data());
    backend.penalty(lease, form, verb_matrix(x), T(0.5), rows.data(), verb_matrix(gradient), sums.data() + 1);
    backend.finish();
    expect(sums[0] == sums[1], "a penalty does not depend on whether its gradient is wanted");
    rows.push_back(static_cast<T>(sums[1]));
    rows.insert(rows.end(), gradient.begin(), gradient.end());
    return rows;
  });
}

template <class T>
void check_constraint(ConstraintKind kind, NormOver over) {
  Constraint<T> form{kind, over, T(0.5), T(5)};
  form.rate = T(0.75);
  form.rest = T(0.25);
  form.epsilon = T(1e-7);
  expect_alike<T>("constraint", [&](const auto& backend, Lease& lease) {
    auto w = random_values<T>(verb_rows * verb_cols, 32);  // the last columns are the ends of its rows
    backend.constrain(lease, form, {w.data(), verb_rows, verb_cols - 5, verb_cols});
    backend.finish();
    return w;
  });
}

template <class T>
void check_blends() {
  const std::int64_t size = verb_rows * verb_cols;
  const auto x = random_values<T>(size, 33);
  expect_alike<T>("blend", [&](const auto& backend, Lease& lease) {
    auto y = random_values<T>(size, 34);
    for (const auto kind : {Blend::kAdd, Blend::kMean, Blend::kScale, Blend::kClamp, Blend::kDecay,
                            Blend::kAverage, Blend::kSubtract}) {
      const bool reads = kind == Blend::kAdd || kind == Blend::kMean || kind >= Blend::kAverage;
      backend.blend(lease, kind, T(1.5), T(0.5), reads ? x.data() : nullptr, y.data(), size);
    }
    Values<T> copy(y.size()), set(y.size());
    backend.blend(lease, Blend::kCopy, T(0), T(0), x.data(), copy.data(), size);
    backend.blend(lease, Blend::kSet, T(3), T(0), nullptr, set.data(), size);
    backend.finish();
    for (const auto* more : {&copy, &set}) y.insert(y.end(), more->begin(), more->end());
    return y;
  });
  expect_alike<T>("sum_of_squares", [&](const auto& backend, Lease& lease) {
    Values<double> sum(1);
    backend.sum(lease, x.data(), size, sum.data());
    const T squares = backend.sum_of_squares(lease, x.data(), size);
    backend.finish();
    return Values<T>{squares, static_cast<T>(sum[0])};
  });
}

// Two steps from slots in use, the second with a gradient that is clipped. Lamb's are left to be taken,
// Adafactor's and Muon's are no verb.
template <class T>
void check_update(OptimizerKind kind, bool nesterov) {
  const std::int64_t size = verb_rows * verb_cols;
  const auto given = random_values<T>(size, 35);
  expect_alike<T>("update " + std::to_string(static_cast<int>(kind)), [&](const auto& backend, Lease& lease) {
    Values<T> numbers(4 * size, T(0.5)), dw(given);
    Update<T> update;
    update.kind = kind;
    StepForm<T>& form = update.form;
    form.lr = form.base_lr = T(0.125);
    form.momentum = form.rho = form.beta1 = form.beta2 = T(0.75);
    form.one_minus_rho = form.one_minus_beta1 = form.one_minus_beta2 = T(0.25);
    form.epsilon = T(0.25);
    form.nesterov = nesterov;
    form.correction1 = form.correction2 = T(0.5);
    form.weight_decay = T(0.0625);
    for (T& number : form.of_kind) number = T(0.5);
    update.dw = dw.data();
    update.w = numbers.data();
    for (std::int64_t k = 0; k < 3; ++k) update.slots[k] = numbers.data() + (k + 1) * size;
    backend.update(lease, update, dw.data(), size);
    backend.scaled_update(lease, update, T(1.5), T(4), dw.data(), size);
    backend.finish();
    numbers.insert(numbers.end(), dw.begin(), dw.end());
    return numbers;
  });
}

template <class T>
void check() {
  for (const Penalty<T>& form :
       {Penalty<T>{T(0.1), T(0)}, Penalty<T>{T(0), T(0.2)}, Penalty<T>{T(0.1), T(0.2)}})
    check_penalty(form);
  for (const auto kind : {ConstraintKind::kNonNegative, ConstraintKind::kMaxNorm, ConstraintKind::kMinMaxNorm,
                          ConstraintKind::kUnitNorm})
    for (const auto over : {NormOver::kRows, NormOver::kColumns, NormOver::kAll})
      check_constraint<T>(kind, over);
  check_blends<T>();
  for (const auto kind :
       {OptimizerKind::kSgd, OptimizerKind::kRmsprop, OptimizerKind::kAdagrad, OptimizerKind::kAdam,
        OptimizerKind::kAdadelta, OptimizerKind::kAdamax, OptimizerKind::kNadam, OptimizerKind::kFtrl,
        OptimizerKind::kLion, OptimizerKind::kLamb, OptimizerKind::kScheduleFreeAdamW})
    for (const bool nesterov : {false, true}) check_update<T>(kind, nesterov);
}

}  // namespace

void check_weight_verbs() {
  check<float>();
  check<double>();
}

}  // namespace lamina
