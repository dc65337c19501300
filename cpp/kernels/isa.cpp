// Compiled once per instruction set, with LAMINA_ISA its name and LAMINA_VECTOR_BYTES the width of its
// registers. Everything here has internal linkage but the two tables, so no code of a wide set can serve a
// narrow machine.
#include "kernels/isa.h"

#include "kernels/activations.h"
#include "kernels/blend.h"
#include "kernels/columns.h"
#include "kernels/dense.h"
#include "kernels/dropout.h"
#include "kernels/losses.h"
#include "kernels/nonlinear_rows.h"
#include "kernels/optimizers.h"
#include "kernels/peak.h"
#include "kernels/product.h"
#include "kernels/rescaling.h"
#include "kernels/restraints.h"

namespace lamina::LAMINA_ISA {
namespace {

template <class T>
constexpr KernelTable<T> kTable = {
    bias_activation<T>,
    activation_gradient<T>,
    nonlinearity<T>,
    nonlinearity_gradient<T>,
    slope_gradient<T>,
    column_sums<T>,
    column_moments<T>,
    standardise<T>,
    batch_norm_gradient<T>,
    dropout_mask<T>,
    multiply<T>,
    rescale<T>,
    loss<T>,
    metric<T>,
    update_range<T>,
    blend<T>,
    sum_of_squares<T>,
    penalty<T>,
    constrain<T>,
    kPanel<T>,
    kBlockRows,
    kLongestChain,
    transposed_rows<T>,
    transposed_samples<T>,
    dense_panel<T>,
    dense_narrow<T>,
    dense_rows<T>,
    dense_input_gradient<T>,
    laid_out_columns<T>,
    weight_gradient<T>,
    bias_gradient<T>,
    product<T>,
    peak_multiply_add<T>,
    peak_copy<T>,
};

}  // namespace

extern const KernelTable<float> table_float = kTable<float>;
extern const KernelTable<double> table_double = kTable<double>;

}  // namespace lamina::LAMINA_ISA
