"""Drop rows that hold items of the benchmarks the model will be judged by."""
