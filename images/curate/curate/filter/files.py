"""Files of the store that rules need: lists, models, tokenizers."""

from pathlib import Path

from contract.config.base import Source
from contract.config.filter import FilterConfig, learned_classifier
from contract.failures import BadInput
from stagekit.dataset import Dataset
from stagekit.sources import source_files, stored_dataset

LEARNED = "model.bin"
"""The file of a dataset of learn_quality that holds the classifier."""


class Files:
    """Local copies of files in the store, kept in a folder for as long as the stage runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened: list[Dataset] = []  # a dataset takes its local copies with it when it goes

    def path(self, uri: str) -> Path:
        """The file at a URI. Raises `BadInput` where there is none, or several."""
        store, entries = source_files(Source(uri=uri))
        if len(entries) != 1:
            raise BadInput(f"{len(entries):,} files", expected="one file", where=uri)
        path = store.fetch(entries[0].name, self.folder)
        if path is None:
            raise BadInput("the file vanished while it was read", where=uri, hint="run again")
        return path

    def classifier(self, config: FilterConfig) -> Path | None:
        """The classifier of quality that a config names, as a file or by a dataset that learn_quality made.

        None where there is none: the rule is off, or the dataset is optional and not there yet.
        """
        wanted = config.quality.classifier
        if wanted.is_file:
            return self.path(wanted.model)
        for source in learned_classifier(config):
            if dataset := stored_dataset(source):
                self._opened.append(dataset)
                return dataset.file(LEARNED)
        return None

    def lines(self, uri: str) -> list[str]:
        """The lines with text of a UTF-8 file; none where the URI is empty."""
        if not uri:
            return []
        try:
            text = self.path(uri).read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise BadInput(f"not UTF-8: {error.reason}", expected="one phrase per line", where=uri) from None
        return [line for raw in text.splitlines() if (line := raw.strip())]
