"""JSON and lines are read by quicker ways than the standard library's, and come out the same."""

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from curate.found import lines
from curate.json_text import loads

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.booleans())
def test_fast_json_reads_what_the_standard_library_reads(value, escaped):
    text = json.dumps(value, ensure_ascii=escaped)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        return
    assert repr(loads(data)) == repr(json.loads(text, strict=False))


@given(st.binary(max_size=40))
def test_fast_json_refuses_what_the_standard_library_refuses(data):
    def outcome(read):
        try:
            return repr(read())
        except UnicodeDecodeError:
            return "encoding"
        except ValueError:
            return "record"

    assert outcome(lambda: loads(data)) == outcome(lambda: json.loads(data.decode("utf-8-sig"), strict=False))


@given(st.lists(st.binary(max_size=30).filter(lambda line: b"\n" not in line), max_size=12), st.integers(1, 9))
def test_lines_are_those_of_the_file_whatever_the_blocks(lines_written, block):
    class Blocks(io.BytesIO):
        def read(self, _):
            return super().read(block)

    whole = b"\n".join(lines_written)
    assert list(lines(Blocks(whole), 100)) == (whole.removesuffix(b"\n").split(b"\n") if whole else [])
