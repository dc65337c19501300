"""What `lamina bench` and the benchmark suite share: networks, who trains them, and the machine's limits."""
