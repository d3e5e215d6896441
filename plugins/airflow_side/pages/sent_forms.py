"""Forms that a browser sends: from our own pages only, and of bounded size.

Airflow's cookie is `SameSite=Lax`, so that another site's form comes without it. A page of the same site but another
origin, such as another port of the same host, would have it sent; therefore a form says where it was sent from.
"""

from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from airflow.configuration import conf
from fastapi import Depends, HTTPException, Request

LARGEST = 4_000_000
"""Bytes of a form."""
MOST_FIELDS = 500


async def sent_form(request: Request) -> dict[str, str]:
    """The fields of a form; of fields of one name the last. Answers 403 to other origins, 413 to what is too large."""
    if not from_here(request):
        raise HTTPException(403, "this form was not sent from this page, or the browser did not say so")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            raise HTTPException(413, f"a form of more than {LARGEST:,} bytes")
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise HTTPException(413, f"a form of more than {MOST_FIELDS} fields") from None


def from_here(request: Request) -> bool:
    """Whether a page of this very origin sent the request, or a program that showed a token of its own."""
    if request.headers.get("authorization", "").lower().startswith("bearer "):
        return True  # no browser adds that by itself
    if site := request.headers.get("sec-fetch-site"):
        return bool(site == "same-origin")
    origin = urlsplit(request.headers.get("origin", "")).netloc
    ours = {request.headers.get("host", ""), urlsplit(conf.get("api", "base_url", fallback="")).netloc}
    return origin != "" and origin in ours


SentForm = Annotated[dict[str, str], Depends(sent_form)]
