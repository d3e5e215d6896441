"""What holds for the whole process, set before a stage is imported."""

import gc

# A request under way is some hundred objects, none of which is garbage yet: at Python's own threshold of 700 the
# collector looks through them again and again, which took a fifth of the CPU of a run with 512 at once.
gc.set_threshold(50_000, 20, 20)
