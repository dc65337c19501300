// Compiled once per instruction set, as kernels/isa.cpp is: mixed_bfloat16 without instructions for it.
#include "kernels/bfloat16_isa.h"
#include "kernels/bfloat16_lanes.h"
#include "kernels/bfloat16_product.h"

namespace lamina::LAMINA_ISA {

extern const Bfloat16Table table_bfloat16 = {
    kTile,
    pack,
    product,
    nothing,
    nothing,
    finish,
    step,
    standardise,
    column_sums,
    sigmoid_of_exp,
    activation_gradient_rounded,
    nonlinearity_rounded,
    nonlinearity_gradient_rounded,
};

}  // namespace lamina::LAMINA_ISA
