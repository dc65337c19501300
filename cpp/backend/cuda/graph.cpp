// Graphs of a device of NVIDIA's.
#include <exception>

#include "backend/cuda/device.h"

namespace lamina::cuda {

struct Graph::Parts {
  cudaGraph_t graph = nullptr;  // the nodes are this one's
  cudaGraphExec_t made = nullptr;
  std::vector<cudaGraphNode_t> nodes;

  ~Parts() {
    if (made != nullptr) cudaGraphExecDestroy(made);
    if (graph != nullptr) cudaGraphDestroy(graph);
    cudaGetLastError();  // at the end of a thread the driver may be gone
  }
};

namespace {

cudaKernelNodeParams params_of(const Launch& launch, Launch::Code code, void** arguments) {
  cudaKernelNodeParams params{};
  params.func = reinterpret_cast<void*>(code);
  params.gridDim = dim3(static_cast<unsigned>(launch.blocks));
  params.blockDim = dim3(static_cast<unsigned>(launch.threads));
  params.sharedMemBytes = static_cast<unsigned>(launch.shared_bytes);
  params.kernelParams = arguments;
  return params;
}

// What a library asks of the thread's queue, as a graph.
cudaGraph_t captured(const Launch& launch, const void* object) {
  cudaGraph_t graph = nullptr;
  require_done(cudaStreamBeginCapture(cudaStreamPerThread, cudaStreamCaptureModeThreadLocal),
               "no capture began");
  std::exception_ptr failed;
  try {
    start(launch, object);
  } catch (...) {
    failed = std::current_exception();
  }
  const cudaError_t status = cudaStreamEndCapture(cudaStreamPerThread, &graph);
  if (failed != nullptr && graph != nullptr) cudaGraphDestroy(graph);
  if (failed != nullptr) std::rethrow_exception(failed);
  require_done(status, "a call was not captured");
  return graph;
}

}  // namespace

Graph::Graph(const Taken& taken, const unsigned char* values) : parts_(std::make_unique<Parts>()) {
  require_done(cudaGraphCreate(&parts_->graph, 0), "no graph");
  for (std::size_t i = 0; i < taken.count(); ++i) {
    const Launch& launch = taken.launch(i);
    const cudaGraphNode_t* const before = i > 0 ? &parts_->nodes.back() : nullptr;
    cudaGraphNode_t node = nullptr;
    if (launch.of_library) {
      const cudaGraph_t child = captured(launch, taken.object(i));
      const cudaError_t status =
          cudaGraphAddChildGraphNode(&node, parts_->graph, before, before != nullptr ? 1 : 0, child);
      cudaGraphDestroy(child);
      require_done(status, "a call was not added to a graph");
    } else {
      const bool by_address = launch.code_by_address != nullptr;
      const void* address = values;
      void* arguments[] = {by_address ? static_cast<void*>(&address) : const_cast<void*>(taken.object(i))};
      const cudaKernelNodeParams params =
          params_of(launch, by_address ? launch.code_by_address : launch.code, arguments);
      require_done(cudaGraphAddKernelNode(&node, parts_->graph, before, before != nullptr ? 1 : 0, &params),
                   "a kernel was not added to a graph");
      if (by_address) values += aligned(launch.size);
    }
    parts_->nodes.push_back(node);
  }
  require_done(cudaGraphInstantiate(&parts_->made, parts_->graph, 0), "a graph was not made");
}

Graph::~Graph() = default;

void Graph::set(std::size_t i, const Launch& launch, const void* object) {
  void* arguments[] = {const_cast<void*>(object)};
  const cudaKernelNodeParams params = params_of(launch, launch.code, arguments);
  require_done(cudaGraphExecKernelNodeSetParams(parts_->made, parts_->nodes[i], &params),
               "a graph's kernel was not set");
}

void Graph::run() {
  require_done(cudaGraphLaunch(parts_->made, cudaStreamPerThread), "a graph was not launched");
}

}  // namespace lamina::cuda
