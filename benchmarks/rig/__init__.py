"""What the benchmarks stand on: a receiver, references, our own send, and where results go."""
