// What layers do to samples besides products and activations: normalise, draw noise, rescale, rearrange.
#include "alike.h"
#include "checks.h"

namespace lamina {
namespace {

// Samples of two rows; gamma and beta, which unit length has not, of three neighbouring elements each.
template <class T>
void check_normalise(Normalisation kind) {
  const NormalisationForm<T> form{kind, T(1e-3), 2, 3};
  const std::int64_t elements = form.period * verb_cols;
  const auto x = random_values<T>(verb_rows * verb_cols, 21),
             dy = random_values<T>(verb_rows * verb_cols, 22), gamma = random_values<T>(elements, 23),
             beta = random_values<T>(elements, 24);
  expect_alike<T>("normalise", [&](const auto& backend, Lease& lease) {
    Values<T> y(x.size()), mean(verb_rows), inverse(verb_rows), dx(x.size());
    Values<T> dgamma(static_cast<std::size_t>(elements / form.repeat)), dbeta(dgamma.size());
    const bool learns = kind != Normalisation::kUnit;
    const NormalisationValues<T> values{learns ? gamma.data() : nullptr, learns ? beta.data() : nullptr,
                                        mean.data(), inverse.data()};
    backend.normalise(lease, form, verb_matrix(x), values, verb_matrix(y));
    backend.normalise_gradient(lease, form, verb_matrix(x), verb_matrix(dy), values,
                               learns ? dgamma.data() : nullptr, learns ? dbeta.data() : nullptr,
                               verb_matrix(dx));
    backend.finish();
    for (const auto* more : {&dx, &dgamma, &dbeta}) y.insert(y.end(), more->begin(), more->end());
    return y;
  });
}

template <class T>
void check_batch_norm(bool training) {
  const auto x = random_values<T>(verb_rows * verb_cols, 21),
             dy = random_values<T>(verb_rows * verb_cols, 22), gamma = random_values<T>(verb_cols, 23),
             beta = random_values<T>(verb_cols, 24);
  expect_alike<T>("batch_norm", [&](const auto& backend, Lease& lease) {
    Values<T> y(x.size()), dx(x.size());
    Values<T> mean(verb_cols, T(0.5)), variance(verb_cols, T(2)), inverse(verb_cols), scale(verb_cols),
        dgamma(verb_cols), dbeta(verb_cols);
    const BatchNormValues<T> values{gamma.data(),    beta.data(),    mean.data(),
                                    variance.data(), inverse.data(), scale.data()};
    backend.batch_norm(lease, verb_matrix(x), values, T(1e-3), training, verb_matrix(y));
    backend.batch_norm_gradient(lease, verb_matrix(x), verb_matrix(dy), values, dgamma.data(), dbeta.data(),
                                verb_matrix(dx));
    backend.finish();
    for (const auto* more : {&dx, &dgamma, &dbeta}) y.insert(y.end(), more->begin(), more->end());
    return y;
  });
}

template <class T>
void check_noise() {
  const RandomStream stream{5, Purpose::kDropout, 1, 7};
  const auto x = random_values<T>(verb_rows * verb_cols, 25);
  expect_alike<T>("noise", [&](const auto& backend, Lease& lease) {
    Values<T> added(x.size()), factors(x.size()), mask(x.size());
    backend.normal(lease, stream, 0.0, 0.25, verb_matrix(x), verb_matrix(added));
    backend.normal(lease, stream, 1.0, 0.5, {}, verb_matrix(factors));
    backend.dropout_mask(lease, stream, 0.25, verb_matrix(mask));
    backend.multiply(lease, verb_matrix(x), verb_matrix<T>(std::as_const(mask)), verb_matrix(mask));
    backend.rescale(lease, {T(2), T(-1)}, verb_matrix<T>(std::as_const(factors)), verb_matrix(factors));
    backend.finish();
    for (const auto* more : {&factors, &mask}) added.insert(added.end(), more->begin(), more->end());
    return added;
  });
}

// Also where no word drops, or all do.
template <class T>
void check_dropout() {
  const RandomStream stream{std::uint64_t{5} << 33, Purpose::kDropout, 1, std::uint64_t{7} << 33};
  expect_alike<T>("dropout", [&](const auto& backend, Lease& lease) {
    Values<T> all;
    for (const double rate : {1e-12, 0.25, 0.9, 1.0}) {
      Values<T> mask(verb_rows * verb_cols);
      backend.dropout_mask(lease, stream, rate, verb_matrix(mask));
      backend.finish();
      all.insert(all.end(), mask.begin(), mask.end());
    }
    return all;
  });
}

template <class T>
void check_gathers() {
  const auto x = random_values<T>(verb_rows * verb_cols, 26);
  Values<std::int64_t> columns(2 * verb_cols), order(verb_rows);
  for (std::size_t j = 0; j < columns.size(); ++j) columns[j] = static_cast<std::int64_t>(j * 5) % verb_cols;
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i * 7) % verb_rows;
  expect_alike<T>("gathers", [&](const auto& backend, Lease& lease) {
    Values<T> y(2 * x.size()), rows(x.size());
    backend.gather_columns(lease, verb_matrix(x), columns.data(), verb_matrix(y, 2 * verb_cols));
    backend.gather(lease, rows_of(x, verb_rows), order.data(), 0, verb_matrix(rows));
    backend.finish();
    y.insert(y.end(), rows.begin(), rows.end());
    return y;
  });
}

template <class T>
void check() {
  for (const auto kind : {Normalisation::kStandard, Normalisation::kRootMeanSquare, Normalisation::kUnit})
    check_normalise<T>(kind);
  for (const bool training : {false, true}) check_batch_norm<T>(training);
  check_noise<T>();
  check_dropout<T>();
  check_gathers<T>();
}

}  // namespace

void check_sample_verbs() {
  check<float>();
  check<double>();
}

}  // namespace lamina
