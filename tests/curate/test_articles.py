"""The 76 real articles, all the way from their file to chunks, with every count."""

from contract.records import Chunk, Document
from curate_texts import read

INGEST = {
    "sources": [
        {
            "uri": "articles.json",
            "name": "articles",
            "records_at": "artifact_data",
            "text": ["content"],
            "fields": {"id": "id", "author": "author_full_name", "url": "link", "source": "platform"},
        }
    ]
}


def test_seventy_six_articles_give_five_hundred_chunks(run_anywhere, shared_data):
    store = {"NOCTURNE_STORE": str(shared_data)}
    ingested = run_anywhere("curate", "ingest", INGEST, env=store).result
    cleaned = run_anywhere("curate", "clean", {"mappers": ["plain"]}, [("rows", ingested["uri"])]).result
    cut = run_anywhere("curate", "chunk", {}, [("rows", cleaned["uri"])]).result
    funnel = [read(stage["uri"]).manifest for stage in (ingested, cleaned, cut)]
    assert [(m.rows_in, m.rows_out, m.main_account.dropped) for m in funnel] == [
        (76, 76, {}),
        (76, 76, {}),
        (76, 500, {}),
    ]
    pieces = funnel[-1].accounts["pieces"]
    assert (pieces.total, pieces.kept, pieces.dropped) == (548, 500, {"too_short": 48})
    texts = {document.id: document.text for document in read(cleaned["uri"]).records(Document)}
    chunks = list(read(cut["uri"]).records(Chunk))
    assert all(chunk.text == texts[chunk.document_id][chunk.start : chunk.end] for chunk in chunks)
    assert all(len(chunk.text) >= 1_000 for chunk in chunks)
    longer = [chunk for chunk in chunks if len(chunk.text) > 2_000]
    assert all(". " not in chunk.text for chunk in longer), "only single sentences may be longer"
    assert len({chunk.document_id for chunk in chunks}) == 76
    assert {chunk.author for chunk in chunks} == {"Maxime Labonne", "Paul Iusztin"}
