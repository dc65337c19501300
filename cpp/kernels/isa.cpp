// Compiled once per instruction set, with LAMINA_ISA its name and LAMINA_VECTOR_BYTES the width of its
// registers. Everything here has internal linkage but the two tables, so no code of a wide set can serve a
// narrow machine.
#include "kernels/isa.h"

#include "kernels/activations.h"
#include "kernels/columns.h"
#include "kernels/dropout.h"
#include "kernels/losses.h"
#include "kernels/optimizers.h"
#include "kernels/peak.h"

namespace lamina::LAMINA_ISA {
namespace {

template <class T>
constexpr KernelTable<T> kTable = {
    bias_activation<T>,
    activation_gradient<T>,
    column_sums<T>,
    column_moments<T>,
    standardise<T>,
    batch_norm_gradient<T>,
    dropout_mask<T>,
    multiply<T>,
    loss<T>,
    metric<T>,
    sgd<T>,
    rmsprop<T>,
    adagrad<T>,
    adam<T>,
    peak_multiply_add<T>,
    peak_copy<T>,
};

}  // namespace

extern const KernelTable<float> table_float = kTable<float>;
extern const KernelTable<double> table_double = kTable<double>;

}  // namespace lamina::LAMINA_ISA
