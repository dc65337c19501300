// Compiled once per instruction set, as kernels/isa.cpp is.
#include "kernels/normal_noise.h"
#include "kernels/normalisation_isa.h"
#include "kernels/row_normalisation.h"

namespace lamina::LAMINA_ISA {

extern const NormalisationTable<float> normalisation_float = {normalise<float>, normalise_gradient<float>,
                                                              normalise_parameters<float>, normal<float>};
extern const NormalisationTable<double> normalisation_double = {normalise<double>, normalise_gradient<double>,
                                                                normalise_parameters<double>, normal<double>};

}  // namespace lamina::LAMINA_ISA
