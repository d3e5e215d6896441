"""Personal data: what is found and what is left alone, kind by kind; and against a gold set of spans."""

from collections import Counter
from itertools import pairwise

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.config.private import NATIONAL_IDS, Personal
from curate.clean.columns import gated
from curate.private.personal import personal_finder
from curate.private.spans import Placeholders, Span, apart, masked, replaced

FINDER = personal_finder(Personal())
KINDS = {
    "EMAIL_ADDRESS": "email",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip",
    "PHONE_NUMBER": "phone",
    "US_SSN": "ssn",
}
OVERLAP = 0.75
"""A finding is right when its kind is and it shares this much of the characters that either of the two covers."""


def found(text: str, **config) -> list[tuple[str, str]]:
    finder = personal_finder(Personal(**config)) if config else FINDER
    return [(span.kind, text[span.start : span.end]) for span in finder.find(text)]


def hidden(text: str, **config) -> str:
    finder = personal_finder(Personal(**config)) if config else FINDER
    return replaced(text, finder.find(text), Placeholders())


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Write to ada.lovelace+x@mail.example.co.uk.", "email", "ada.lovelace+x@mail.example.co.uk"),
        ("<ada@x.org>, (bob_1@y-z.de)", "email", "ada@x.org"),
        ("at name [at] host [dot] org please", "email", "name [at] host [dot] org"),
        ("josé@münchen.de", "email", "josé@münchen.de"),
        ("call +44 20 7946 0958 now", "phone", "+44 20 7946 0958"),
        ("or +44(0)1134960824", "phone", "+44(0)1134960824"),
        ("or 0044 20 7946 0958", "phone", "0044 20 7946 0958"),
        ("(212) 555-0123 in New York", "phone", "(212) 555-0123"),
        ("Ring 020 7946 0958.", "phone", "020 7946 0958"),
        ("Tel.: 030/901820", "phone", "030/901820"),
        ("phone: 12 34 56 78", "phone", "12 34 56 78"),
        ("my mobile is 5551234567", "phone", "5551234567"),
        ("555-0199 x12 (office)\n416 60 039 fax", "phone", "416 60 039"),
        ("from 81.2.69.160:8080", "ip", "81.2.69.160"),
        ("dns server 8.8.8.8", "ip", "8.8.8.8"),
        ("at 2a00:1450:4009:81f::200e today", "ip", "2a00:1450:4009:81f::200e"),
        ("GB82 WEST 1234 5698 7654 32 is it", "iban", "GB82 WEST 1234 5698 7654 32"),
        ("de89370400440532013000", "iban", "de89370400440532013000"),
        ("pay with 4111-1111-1111-1111", "card", "4111-1111-1111-1111"),
        ("378282246310005", "card", "378282246310005"),
        ("the card 6304219447607087665 expired", "card", "6304219447607087665"),
        ("SSN: 457-55-5462", "ssn", "457-55-5462"),
        ("social security 457 55 5462", "ssn", "457 55 5462"),
        ("my SSN is 457555462", "ssn", "457555462"),
        ("MAC 00:1B:63:84:45:E6", "mac", "00:1B:63:84:45:E6"),
        ("00-1b-63-84-45-e6", "mac", "00-1b-63-84-45-e6"),
        ("001b.6384.45e6", "mac", "001b.6384.45e6"),
        ("postgres://ada:s3cr3t@db.example.org/x", "url_credentials", "ada:s3cr3t"),
        ("redis://:pw0rd@cache:6379", "url_credentials", ":pw0rd"),
        ("Date of birth: 1985-12-10.", "birth_date", "1985-12-10"),
        ("She was born on 10 December 1985 in", "birth_date", "10 December 1985"),
        ("DOB 12/10/1985", "birth_date", "12/10/1985"),
        ("geboren am 10.12.1985", "birth_date", "10.12.1985"),
        ("PESEL 44051401359", "national_id", "44051401359"),
        ("CPF 390.533.447-05", "national_id", "390.533.447-05"),
        ("DNI: 54362315K", "national_id", "54362315K"),
        ("X2482300W", "national_id", "X2482300W"),
        ("codice fiscale RCCMNL83S18D969H", "national_id", "RCCMNL83S18D969H"),
        ("NHS number 943 476 5870", "national_id", "943 476 5870"),
        ("BSN 111222333", "national_id", "111222333"),
        ("hetu 131052-308T", "national_id", "131052-308T"),
        ("Aadhaar 2341 2341 2346", "national_id", "2341 2341 2346"),
        ("SIN 123-456-782", "national_id", "123-456-782"),
        ("personnummer 880320-0016", "national_id", "880320-0016"),
        ("sécurité sociale 2 95 10 99 126 111 93", "national_id", "2 95 10 99 126 111 93"),
        ("Steuer-ID 36 574 261 809", "national_id", "36 574 261 809"),
        ("T.C. kimlik 17291716060", "national_id", "17291716060"),
        ("identity 7503305044089", "national_id", "7503305044089"),
        ("360426199101010071", "national_id", "360426199101010071"),
    ],
)
def test_found(text, kind, value):
    assert (kind, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "git@github.com:owner/name.git, @mention, icon@2x.png, a @ b, foo@bar",
        "from 1990-2000, on 2000-04-16 11:34:35, 10/12/2024, 1,234,567 and 1 234 567.89",
        "1 2 3 4 5 6 7 8 9 10 11 12; 12345678 rows, ISBN 978-3-16-148410-0, $1234567890, 5,551,234,567",
        "240000/1000=240, 90000-36000=54000, 1200-400-300=500, 16000 - 12500",
        "order 1234567890123, id=4111111111111111a, 0.4111111111111111, 4111111111111112",
        "version 10.40.50.60, v1.2.3.4, section 2.7.2.2, pkg==1.22.33.44, 999.1.1.1, 1.2.3.4.5",
        "10.0.0.7, 192.168.1.1, 127.0.0.1, 203.0.113.9, fe80::1, ::1, std::vector, abc::def, 11:34:35",
        "00:00:00:00:00:00, ff:ff:ff:ff:ff:ff, 12-34-56-78-90-12, a:b:c:d:e:f",
        "000-12-3456, 666-12-3456, 900-12-3456, 123-00-4567, 123-45-0000, 078-05-1120, 457555462",
        "GB82WEST12345698765431, GB82TEST, AB12 CDEF, XX82WEST12345698765432",
        "https://example.org/a:b@c, https://user@example.org, https://{user}:{pass}@host, http://x:80/",
        "born in 1985, the birth of 3 nations, version 1985-12-10, Ludwig (born 9 January 1944) is",
        "44051401359, 111222333, 9434765870, 93250000L, 17291716060",
        "Ada Lovelace, 12 St James's Square, London",
    ],
)
def test_left_alone(text):
    assert found(text) == []


def test_every_national_id_is_found_by_one_of_the_cases_above():
    cases = next(mark for mark in test_found.pytestmark if mark.name == "parametrize").args[1]
    texts = [text for text, kind, _ in cases if kind == "national_id"]
    for name in NATIONAL_IDS:
        assert any(found(text, national_ids=[name]) for text in texts), name


def test_private_addresses_count_on_request():
    text = "10.0.0.7, 192.168.1.1, fe80::1, 0.0.0.0"
    assert found(text, private_ips=True) == [("ip", "10.0.0.7"), ("ip", "192.168.1.1"), ("ip", "fe80::1")]


def test_regions_decide_which_local_numbers_need_no_word():
    assert found("or 01 42 68 53 00", regions=["FR"]) == [("phone", "01 42 68 53 00")]
    assert found("or 01 42 68 53 00", regions=["US"]) == []


def test_the_surer_kind_has_the_characters():
    assert hidden("https://ada:pass@x.org/ and 4111 1111 1111 1111") == "https://<CREDENTIALS>@x.org/ and <CARD>"
    assert hidden("tel 457-55-5462") == "tel <SSN>"


def test_allow_lists_by_value_domain_and_pattern():
    text = "ada@Example.org bob@mail.example.org eve@badexample.org https://u:p4@api.example.org 8.8.4.40"
    assert hidden(text, allow_domains=["example.org"]).startswith(
        "ada@Example.org bob@mail.example.org <EMAIL> https://u:p4@"
    )
    assert hidden(text, allow=["EVE@badexample.org"]).split()[2] == "eve@badexample.org"
    assert hidden(text, allow_patterns=[r".*@example\.org"]).split()[1] == "<EMAIL>"


def test_numbered_placeholders_are_equal_where_values_are():
    text = "ada@x.org, bob@x.org, ADA@x.org; 212-555-0123 and (212) 555-0123"
    numbered = replaced(text, FINDER.find(text), Placeholders(numbered=True))
    assert numbered == "<EMAIL_1>, <EMAIL_2>, <EMAIL_1>; <PHONE_1> and <PHONE_1>"


def test_a_mask_keeps_the_shape_only():
    assert masked("ada_1@x.org") == "•••_•@•.•••"
    assert len(masked("x" * 1_000)) == 41


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 9))))
def test_spans_apart_share_no_character_and_the_first_stays(some):
    spans = [Span(start, start + length, str(number), "X") for number, (start, length) in enumerate(some)]
    kept = apart(spans)
    assert kept == sorted(kept)
    assert all(left.end <= right.start for left, right in pairwise(kept))
    assert not spans or spans[0] in kept
    assert all(any(s.start < k.end and k.start < s.end for k in kept) for s in spans)


@given(st.text(alphabet="a1@.:-+( )/é\n4٣", max_size=40))
def test_arrow_opens_the_same_gates(text):
    by_arrow = [FINDER.find(value, kinds) for _, value, kinds in gated(pa.array([text]), FINDER)]
    assert (by_arrow or [[]])[0] == FINDER.find(text)


def test_long_texts_of_nothing_but_candidates_take_time_in_proportion():
    for piece in ("1 ", "1", "a@", "12.", "aa:", "http://a", "[at]", "born on ", "+"):
        FINDER.find(piece * (200_000 // len(piece)))


@pytest.fixture(scope="module")
def gold(request):
    from conftest import SHARED_DATA

    path = SHARED_DATA / "gold" / "pii_spans.json"
    if not path.exists():
        pytest.skip(f"no gold set at {path}")
    return orjson.loads(path.read_bytes())


def test_gold_spans(gold):
    """Recall and precision by span at least 0.95 for each kind with a pattern or checksum, the table with `-s`."""
    right, wrong, missed = Counter(), Counter(), Counter()
    for entry in gold:
        wanted = [
            (s["start_position"], s["end_position"], KINDS[s["entity_type"]])
            for s in entry["spans"]
            if s["entity_type"] in KINDS
        ]
        got = [span for span in FINDER.find(entry["full_text"]) if span.kind in KINDS.values()]
        hits = {span: next((w for w in wanted if _same(span, w)), None) for span in got}
        right.update(span.kind for span, hit in hits.items() if hit)
        wrong.update(span.kind for span, hit in hits.items() if not hit)
        missed.update(kind for start, end, kind in wanted if (start, end, kind) not in hits.values())
    print(f"\n{'kind':<8}{'gold':>6}{'right':>7}{'wrong':>7}{'missed':>8}{'recall':>9}{'precision':>11}")
    for kind in KINDS.values():
        recall, precision = (right[kind] / max(right[kind] + other[kind], 1) for other in (missed, wrong))
        gold_spans = right[kind] + missed[kind]
        print(
            f"{kind:<8}{gold_spans:>6}{right[kind]:>7}{wrong[kind]:>7}{missed[kind]:>8}{recall:>9.3f}{precision:>11.3f}"
        )
        assert recall >= 0.95, kind
        assert precision >= 0.95, kind


def test_nothing_is_found_where_everything_was_replaced(gold):
    for entry in gold:
        assert found(hidden(entry["full_text"])) == []


def _same(span: Span, wanted: tuple[int, int, str]) -> bool:
    start, end, kind = wanted
    shared = min(end, span.end) - max(start, span.start)
    return kind == span.kind and shared >= OVERLAP * (max(end, span.end) - min(start, span.start))
