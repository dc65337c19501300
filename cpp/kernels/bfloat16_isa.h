// The tables for bfloat16 that the instruction sets export.
#pragma once

#include "kernels/bfloat16_table.h"

#define LAMINA_DECLARE_TABLE(isa)            \
  namespace lamina::isa {                    \
  extern const Bfloat16Table table_bfloat16; \
  }

LAMINA_DECLARE_TABLE(baseline)
#ifdef LAMINA_HAS_X86_ISAS
LAMINA_DECLARE_TABLE(avx2)
LAMINA_DECLARE_TABLE(avx512)
#endif
#ifdef LAMINA_HAS_BFLOAT16_ISAS
LAMINA_DECLARE_TABLE(avx512_bf16)
LAMINA_DECLARE_TABLE(amx)
#endif

#undef LAMINA_DECLARE_TABLE
