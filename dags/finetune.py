"""A published dataset to a trained, evaluated and registered model.

One DAG for each file in `dags/recipes/` that has a `finetune` section. A new version of the dataset starts it;
by hand it trains on any version: `dataset` is `latest`, a version's number, or a dataset's URI.

- **plan** works out memory and tokens first, and refuses with the numbers before any GPU time is spent.
- **train** goes on from its last complete checkpoint when it was killed.
- With `learning_rates` in the recipe there is one **train** for each, and **choose** goes on with the lowest test loss.
  `learning_rates` in the form is a sweep too: the training tasks that there are share its rates, a single one chooses.
- **evaluate** compares with the base model; its gate decides whether **register** makes the model `champion`.
- With a `judge` in the recipe, **judge_answers** lets a language model compare the tuned model's answers with those of
  its base; **export** waits for it, since the model's card tells of it.
- With `register.champion: approval` a person decides instead: **approve** shows the figures under "Required Actions"
  and waits `approval_hours`; **promote** moves `champion` in that person's name. Rejected, or without an answer in
  time, the model stays `challenger`. Until then the next run of this DAG waits.
- With `NOCTURNE_GPU=1` these tasks get the GPUs and share the pool `gpu`. A task gets all GPUs of the machine, so the
  pool has one slot, and a training of several `processes` has them to itself. **plan** refuses more than there are.
- By REST: `{"conf": {"dataset": "latest", "training.learning_rate": 0.0002, "training.epochs": 2}}`. An answer is a
  PATCH of the task's `hitlDetails`; one that comes within a second of the question Airflow may lose and ask again.
"""

from pathlib import Path

from airflow.sdk import DAG, chain

from airflow_side import dataset_task
from airflow_side.approval import Approval, Promotion
from airflow_side.dag import dag_arguments, published, stage_task
from airflow_side.flow import finetune_flow, read_recipes
from airflow_side.form import trigger_form
from airflow_side.operator import StageOperator
from airflow_side.training import OPERATORS
from contract.steps import EVALUATE

recipes, _ = read_recipes(Path(__file__).parent / "recipes")
for recipe in recipes:
    if recipe.finetune is None:
        continue
    flow = finetune_flow(recipe)
    form = {"dataset": dataset_task.PARAM, **trigger_form(flow)}
    with DAG(**dag_arguments(flow, __doc__), schedule=[published(recipe)], params=form):
        dataset = dataset_task.dataset_task(recipe.name, published(recipe))
        *steps, last = flow.steps()
        tasks = [stage_task(flow, step, OPERATORS.get(step.stage.name, StageOperator)) for step in steps]
        trained = next(number for number, step in enumerate(steps) if step.name == EVALUATE)
        (plan, *sweep, train), (evaluate, *judge, export, register) = tasks[:trained], tasks[trained:]
        compared = [evaluate, *judge, export] if judge else [[evaluate, export]]
        approve, promote = Approval(flow=flow), stage_task(flow, last, Promotion)
        chain(dataset, plan, *([sweep] if sweep else []), train, *compared, register, approve, promote)
