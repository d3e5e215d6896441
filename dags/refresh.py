"""Raw documents to a published dataset, every night.

One DAG for each file in `dags/recipes/`. Each task runs one stage in its own container (or, with
`NOCTURNE_RUNNER=process`, in its own virtual environment) and hands on the address of the dataset it wrote.

- **Nothing new, nothing done.** A dataset's address follows from its config and its inputs. A stage that finds its
  dataset there returns at once, so retries, clears and quiet nights cost nothing.
- **Triggering by hand.** The form's values hold for that run only; what they change is made anew, the rest is reused.
  The same by REST: `{"conf": {"instruct.pairs": 3, "limits.money": 0.5}}`.
- **Failing.** Bad configs and bad input fail at once and say what to do; trouble that may pass is retried, up to three
  times. Nothing half-written is ever visible. Clear a task to run it and what follows again.
- **Reviewing.** With `review` in the recipe, people accept, reject and edit drawn samples under "Datasets"; the next
  run applies what they decided.
- **Approving.** With `publish_approval_hours` in the recipe, **approve** shows the figures of a new version under
  "Required Actions" and waits so long. Rejected, or without an answer in time, nothing is published. Until then the
  next run of this DAG waits.
- **Publishing** is an event of the asset that bears the recipe's name, and starts `finetune_<recipe>`.
"""

from pathlib import Path

from airflow.sdk import DAG, chain

from airflow_side.dag import dag_arguments, nightly, published, stage_task
from airflow_side.flow import read_recipes, refresh_flow
from airflow_side.form import trigger_form
from airflow_side.publish_approval import PublishApproval

recipes, _ = read_recipes(Path(__file__).parent / "recipes")
for recipe in recipes:
    flow = refresh_flow(recipe)
    with DAG(**dag_arguments(flow, __doc__), schedule=nightly(recipe), params=trigger_form(flow)):
        *before, last = flow.steps()
        publish = stage_task(flow, last, outlets=[published(recipe)])
        *others, explore = (stage_task(flow, step) for step in before)
        chain(*others, explore, publish)
        if recipe.publish_approval_hours is not None:
            explore >> PublishApproval(flow=flow) >> publish
