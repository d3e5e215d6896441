"""Runs one try of a task as Airflow's worker does: `python worker.py WISHES TRY`; SIGTERM calls `on_kill`.

Prints the result, or the exception's class and message, as the last line.
"""

import json
import os
import signal
import sys
from types import SimpleNamespace

from airflow.sdk.exceptions import AirflowException

from airflow_side.flow import refresh_flow
from airflow_side.operator import StageOperator
from contract.recipe import Recipe

wishes, try_number = sys.argv[1], int(sys.argv[2])
flow = refresh_flow(Recipe.model_validate({"name": "told", "ingest": {"sources": [{"uri": wishes}]}}))
operator = StageOperator(flow=flow, step=flow.steps()[0])
signal.signal(signal.SIGTERM, lambda *_: operator.on_kill())
ti = SimpleNamespace(
    dag_id=flow.dag_id, run_id=os.environ["RUN_ID"], task_id="ingest", map_index=-1, try_number=try_number
)
try:
    print(json.dumps(operator.execute({"params": {}, "ti": ti, "outlet_events": {}})))
except AirflowException as error:
    print(f"{type(error).__name__}: {error}".splitlines()[0])
