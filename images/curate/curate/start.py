"""What comes before a stage's own libraries: the collector is told to wait, and Arrow is made ready without pandas.

Arrow looks for pandas when it first hands out an array, and loading it takes a fifth of a second; it is installed only
because `datasets` needs it. Where that was loaded before, to gather a source, Arrow finds pandas, and whoever asks
Arrow for a data frame later makes it look again.
"""

import gc

import numpy as np
import pyarrow as pa

from curate.light import light_start

# At Python's own threshold of 700 objects a stage's imports alone are searched through some hundred times.
gc.set_threshold(50_000, 20, 20)
with light_start("pandas"):
    pa.array(np.zeros(1)).to_numpy()
