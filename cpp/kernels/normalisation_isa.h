// The tables of normalising kernels that the instruction sets export.
#pragma once

#include "kernels/normalisation_table.h"

#define LAMINA_DECLARE_TABLES(isa)                              \
  namespace lamina::isa {                                       \
  extern const NormalisationTable<float> normalisation_float;   \
  extern const NormalisationTable<double> normalisation_double; \
  }

LAMINA_DECLARE_TABLES(baseline)
#ifdef LAMINA_HAS_X86_ISAS
LAMINA_DECLARE_TABLES(avx2)
LAMINA_DECLARE_TABLES(avx512)
#endif

#undef LAMINA_DECLARE_TABLES
