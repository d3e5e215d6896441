"""A person decides whether a new version of a dataset is published: asked in Airflow's UI, before `latest` moves."""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf

from airflow_side.approval import APPROVE, PersonsWord
from airflow_side.catalog import Catalog, open_catalog
from airflow_side.flow import Flow
from airflow_side.operator import PAGES
from airflow_side.outcome import failures_for_airflow
from contract.release import Release
from contract.steps import Step
from contract.uris import LATEST, parse_uri

if TYPE_CHECKING:
    from airflow.sdk import Context

Results = Mapping[str, Mapping[str, Any]]
"""What tasks returned, by task."""
REVIEWED = ("accepted", "edited", "rejected", "unreviewed", "agreement", "kappa")


class PublishApproval(PersonsWord):
    """Asks whether `publish` may go on, in a recipe with `publish_approval_hours`.

    Approved, `publish` follows; rejected, or without an answer in time, it is skipped, `latest` stays where it is, and
    nothing that waits for a new version starts. Nobody is asked about what the newest version already is.
    """

    unanswered = "Nobody answered in time: nothing is published, and latest stays where it is"

    def __init__(self, *, flow: Flow, **kwargs: Any) -> None:
        super().__init__(
            task_id=APPROVE,
            subject=f"Publish this version of {flow.recipe.name}?",
            doc_md="Asks a person before anything is published, since the recipe has `publish_approval_hours`.",
            **kwargs,
        )
        self.flow = flow

    def execute(self, context: "Context") -> Any:
        """Put the question, and wait outside of any worker; go on at once where there is nothing to ask about."""
        hours = self.flow.recipe.publish_approval_hours
        assert hours is not None
        with failures_for_airflow("fail"):
            publish = self.flow.step("publish", context["params"])
            results = results_of(publish, context)
            catalog = open_catalog()
            release = catalog.release(self.flow.recipe.name, LATEST)
            if release and is_of(catalog, self.flow.recipe.name, release, publish, results):
                self.log.info("Nobody is asked: this is version %d, which is published", release.version)
                return None
        self.body = question(publish, results, release, hours)
        self.response_timeout = timedelta(hours=hours)
        return super().execute(context)


def results_of(publish: Step, context: "Context") -> Results:
    """What the tasks before `publish` returned: those that it reads, and the review where there is one."""
    names = {name for names in publish.inputs.values() for name in names} | {"review"}
    found = {name: context["ti"].xcom_pull(task_ids=name) for name in sorted(names)}
    return {name: result for name, result in found.items() if result}


def is_of(catalog: Catalog, recipe: str, release: Release, publish: Step, results: Results) -> bool:
    """Whether a release is what `publish` would make of these results."""
    manifest = catalog.manifest(recipe, "publish", release.key)
    if manifest is None:
        return False
    now = {(port, results[name]["content_hash"]) for port, names in publish.inputs.items() for name in names}
    same_inputs = now == {(parent.input, parent.content_hash) for parent in manifest.parents}
    same_config = manifest.config == publish.config.model_dump(mode="json")
    return same_inputs and same_config and manifest.stage_version == publish.stage.version


def question(publish: Step, results: Results, release: Release | None, hours: float) -> str:
    """What there is to know before answering, as Markdown: how many samples, what reviewers said, where to look."""
    (rows,) = publish.inputs["rows"]
    before = f"version {release.version} has {release.rows:,}" if release else "nothing is published yet"
    said = results.get("review", {}).get("metrics", {})
    return "\n".join(
        [
            f"**{results[rows]['rows']:,} samples** before the split; {before}.",
            "",
            *(f"- {name}: {said[name]}" for name in REVIEWED if said.get(name) is not None),
            f"- [what would be published]({page_of(results[rows]['uri'])})",
            f"- [report]({page_of(results['explore']['uri'])}/files/report.html)",
            *([f"- [samples to review]({page_of(results['review']['uri'])}/samples)"] if said else []),
            "",
            f"Without an answer within {hours:g} hours nothing is published.",
        ]
    )


def page_of(uri: str) -> str:
    """The address of a dataset's page."""
    base = conf.get("api", "base_url", fallback="").rstrip("/")
    return "/".join([base, PAGES, *parse_uri(uri).path.split("/")[-3:]])
