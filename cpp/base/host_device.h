// Marks what kernels of a device share with the host: empty where only the host is compiled for.
#pragma once

#if defined(__CUDACC__)
#define LAMINA_HOST_DEVICE __host__ __device__
#else
#define LAMINA_HOST_DEVICE
#endif
