"""What comes before a stage's own libraries: Arrow is made ready without pandas.

Arrow looks for pandas when it first hands out an array, and loading it takes a fifth of a second; it is installed only
because `datasets` needs it. Where that was loaded before, to gather a source, Arrow finds pandas, and whoever asks
Arrow for a data frame later makes it look again.
"""

import numpy as np
import pyarrow as pa

from curate.light import light_start

with light_start("pandas"):
    pa.array(np.zeros(1)).to_numpy()
