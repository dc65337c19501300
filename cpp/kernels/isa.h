// The tables that the instruction sets export.
#pragma once

#include "kernels/table.h"

#define LAMINA_DECLARE_TABLES(isa)               \
  namespace lamina::isa {                        \
  extern const KernelTable<float> table_float;   \
  extern const KernelTable<double> table_double; \
  }

LAMINA_DECLARE_TABLES(baseline)
#ifdef LAMINA_HAS_X86_ISAS
LAMINA_DECLARE_TABLES(avx2)
LAMINA_DECLARE_TABLES(avx512)
#endif

#undef LAMINA_DECLARE_TABLES
