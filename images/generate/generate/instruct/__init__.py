"""instruct: write instruction and answer pairs for each chunk."""
