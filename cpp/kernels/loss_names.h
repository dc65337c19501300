// Losses and row metrics, by name.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace lamina {

enum class LossKind {
  // With kernels of their own (kernels/losses.h).
  kMeanSquaredError,
  kBinaryCrossentropy,
  kCategoricalCrossentropy,
  kSparseCategoricalCrossentropy,
  // Means over a row of what each output has on its own (kernels/scalar_losses.h).
  kMeanAbsoluteError,
  kMeanAbsolutePercentageError,
  kMeanSquaredLogarithmicError,
  kHuber,
  kLogCosh,
  kPoisson,
  kHinge,
  kSquaredHinge,
  kBinaryFocal,
  // Of a row as a whole (kernels/row_losses.h).
  kKlDivergence,
  kCosineSimilarity,
  kCategoricalHinge,
  kCategoricalFocal,
  kGeneralizedCrossentropy,
  kDice,
  kTversky,
  // Of all rows of a batch together (kernels/circle.h).
  kCircle,
};

enum class MetricKind {
  kBinaryAccuracy,
  kCategoricalAccuracy,
  kSparseCategoricalAccuracy,
  kMeanAbsoluteError,
  kMeanSquaredError,
  kAccuracy,
  kTopK,
  kSparseTopK,
  kPearsonCorrelation,
  kConcordanceCorrelation,
};

template <class Kind, std::size_t n>
Kind kind_named(const std::array<std::pair<std::string_view, Kind>, n>& names, const char* argument,
                std::string_view name) {
  for (const auto& [known, kind] : names)
    if (known == name) return kind;
  std::string all;
  for (const auto& [known, kind] : names) (all += all.empty() ? "" : ", ") += known;
  throw std::invalid_argument(text(argument, ": expected one of ", all, ", got ", name));
}

inline LossKind any_loss_named(std::string_view name) {
  using K = LossKind;
  static constexpr std::array<std::pair<std::string_view, K>, 21> names = {{
      {"mean_squared_error", K::kMeanSquaredError},
      {"binary_crossentropy", K::kBinaryCrossentropy},
      {"categorical_crossentropy", K::kCategoricalCrossentropy},
      {"sparse_categorical_crossentropy", K::kSparseCategoricalCrossentropy},
      {"mean_absolute_error", K::kMeanAbsoluteError},
      {"mean_absolute_percentage_error", K::kMeanAbsolutePercentageError},
      {"mean_squared_logarithmic_error", K::kMeanSquaredLogarithmicError},
      {"huber", K::kHuber},
      {"log_cosh", K::kLogCosh},
      {"poisson", K::kPoisson},
      {"hinge", K::kHinge},
      {"squared_hinge", K::kSquaredHinge},
      {"binary_focal_crossentropy", K::kBinaryFocal},
      {"kl_divergence", K::kKlDivergence},
      {"cosine_similarity", K::kCosineSimilarity},
      {"categorical_hinge", K::kCategoricalHinge},
      {"categorical_focal_crossentropy", K::kCategoricalFocal},
      {"categorical_generalized_cross_entropy", K::kGeneralizedCrossentropy},
      {"dice", K::kDice},
      {"tversky", K::kTversky},
      {"circle", K::kCircle},
  }};
  return kind_named(names, "loss", name);
}

// One of the four with kernels of their own.
inline LossKind loss_named(std::string_view name) {
  const LossKind kind = any_loss_named(name);
  if (kind > LossKind::kSparseCategoricalCrossentropy)
    throw std::invalid_argument(
        text("loss: expected mean_squared_error, binary_crossentropy, categorical_crossentropy or "
             "sparse_categorical_crossentropy, got ",
             name));
  return kind;
}

inline MetricKind metric_named(std::string_view name) {
  using K = MetricKind;
  static constexpr std::array<std::pair<std::string_view, K>, 10> names = {{
      {"binary_accuracy", K::kBinaryAccuracy},
      {"categorical_accuracy", K::kCategoricalAccuracy},
      {"sparse_categorical_accuracy", K::kSparseCategoricalAccuracy},
      {"mean_absolute_error", K::kMeanAbsoluteError},
      {"mean_squared_error", K::kMeanSquaredError},
      {"accuracy", K::kAccuracy},
      {"top_k_categorical_accuracy", K::kTopK},
      {"sparse_top_k_categorical_accuracy", K::kSparseTopK},
      {"pearson_correlation", K::kPearsonCorrelation},
      {"concordance_correlation", K::kConcordanceCorrelation},
  }};
  return kind_named(names, "metrics", name);
}

// Whether a loss is one of class numbers, one a row, instead of a value per output.
inline bool takes_labels(LossKind kind) {
  return kind == LossKind::kSparseCategoricalCrossentropy || kind == LossKind::kGeneralizedCrossentropy ||
         kind == LossKind::kCircle;
}

inline bool takes_labels(MetricKind kind) {
  return kind == MetricKind::kSparseCategoricalAccuracy || kind == MetricKind::kSparseTopK;
}

// Those that Keras on TensorFlow computes from what goes into a final softmax or sigmoid.
inline bool takes_head_logits(LossKind kind) {
  return kind == LossKind::kBinaryCrossentropy || kind == LossKind::kCategoricalCrossentropy ||
         kind == LossKind::kSparseCategoricalCrossentropy || kind == LossKind::kBinaryFocal;
}

}  // namespace lamina
