"""Makes no DAG: puts every recipe that cannot be read into Airflow's list of import errors.

`refresh.py` and `finetune.py` leave such a recipe out, so that a slip in one file stops no other recipe.
"""

from pathlib import Path

from airflow_side.flow import read_recipes
from contract.failures import BadConfig

_, broken = read_recipes(Path(__file__).parent / "recipes")
if broken:
    raise BadConfig("\n\n".join(map(str, broken)))
