// Activations of both sorts and their gradients.
#include <iterator>
#include <limits>

#include "alike.h"
#include "checks.h"

namespace lamina {
namespace {

template <class T>
void check_activation(Activation a) {
  const auto x = random_values<T>(verb_rows * verb_cols, 11),
             dy = random_values<T>(verb_rows * verb_cols, 12);
  expect_alike<T>("activation " + std::to_string(static_cast<int>(a)), [&](const auto& backend,
                                                                           Lease& lease) {
    Values<T> y(x.size()), dx(x.size());
    backend.activation(lease, a, verb_matrix(x), verb_matrix(y));
    backend.activation_gradient(lease, a, verb_matrix<T>(std::as_const(y)), verb_matrix(dy), verb_matrix(dx));
    backend.finish();
    y.insert(y.end(), dx.begin(), dx.end());
    return y;
  });
}

template <class T>
void check_nonlinearity(Nonlinearity<T> f) {
  const auto x = random_values<T>(verb_rows * verb_cols, 13), slopes = random_values<T>(verb_cols, 14);
  const bool learns = f.kind == NonlinearKind::kPrelu;
  if (learns) f.slopes = slopes.data();
  const std::int64_t outputs = f.kind == NonlinearKind::kGlu ? verb_cols / 2 : verb_cols;
  const auto dy = random_values<T>(verb_rows * outputs, 15);
  const std::string name(kNonlinearNames[static_cast<std::size_t>(f.kind)]);
  expect_alike<T>(name, [&](const auto& backend, Lease& lease) {
    Values<T> y(dy.size()), dx(x.size()), dslopes(learns ? slopes.size() : 0);
    backend.nonlinearity(lease, f, verb_matrix(x), verb_matrix(y, outputs));
    backend.nonlinearity_gradient(lease, f, verb_matrix(x), verb_matrix<T>(std::as_const(y), outputs),
                                  verb_matrix(dy, outputs), verb_matrix(dx),
                                  learns ? dslopes.data() : nullptr);
    backend.finish();
    y.insert(y.end(), dx.begin(), dx.end());
    y.insert(y.end(), dslopes.begin(), dslopes.end());
    return y;
  });
}

template <class T>
void check() {
  for (const auto a : {Activation::kLinear, Activation::kRelu, Activation::kSigmoid, Activation::kTanh,
                       Activation::kSoftmax, Activation::kExp})
    check_activation<T>(a);
  for (std::size_t k = 0; k < std::size(kNonlinearNames); ++k)
    check_nonlinearity<T>({static_cast<NonlinearKind>(k), T(0.5), T(2), T(0.25), T(0.125)});
  Nonlinearity<T> strided{NonlinearKind::kSoftmax};
  strided.inner = 3;
  check_nonlinearity<T>(strided);
  check_nonlinearity<T>({NonlinearKind::kRelu, T(0.5), std::numeric_limits<T>::quiet_NaN()});
}

}  // namespace

void check_activations() {
  check<float>();
  check<double>();
}

}  // namespace lamina
