"""Key phrases of a passage, after RAKE: runs of content words, scored by how their words keep company.

Stop words are English ones and, so that other languages fare tolerably, every word of at most three letters that is
written in lower case.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import lru_cache

ENGLISH = """
a about above across activate after again against all allow allows along already also although always among an and
another any anything are around as at available back based be because been before being below best better between
both but by call called can cannot case cases come comes could current currently default describe described
different do does doesn doing don done down due each easily easy either else enable enables end etc even ever every
everything example examples expect expected few find first follow following follows for from full further get gets
getting give given gives go going good got great had has have having help helps here high how however i if in
include included includes including install installed installing installs instead into is isn it its itself just
keep kind know large last later latest least less let lets like likely list long longer look looking lot lots made
main make makes making many may me mean means might more most much must my need needed needs never new next no not
note nothing now number of off often on once one ones only or order other others our out over own part particular
per please possible provide provided provides put quite rather read really recommend recommended require required
requires resulting right run running runs same say second section see several shall short should show shown shows
simple simply since small so some something sometimes soon specific specified specify start still such support
supported supports sure take takes than thank thanks that the their them then there these they thing things think
this those three through thus time to together too two type under until up upon us use used useful user users uses
using usually various version versions very via want wants was way ways we well were what when where whether which
while who whole whose why will with within without won work working works would write yet you your yourself
"""
STOP_WORDS = frozenset(ENGLISH.split())
TOKEN = re.compile(r"[^\W_][\w'’.+#-]*[\w+#]|[^\W_]|[^\w\s]")
LONGEST = 4
"""Words in a phrase."""


def key_phrases(passage: str, whole: str) -> list[str]:
    """The passage's phrases, most telling first; `whole` is the text around it, where telling words keep turning up."""
    scores = _word_scores(whole)
    found: dict[str, float] = {}
    for phrase in _candidates(passage):
        words = [word.lower() for word in phrase]
        score = sum(scores.get(word, 1.0) for word in words) / len(words) ** 0.5
        found.setdefault(" ".join(phrase), score + 0.5 * any(word[:1].isupper() for word in phrase))
    return sorted(found, key=lambda phrase: (-found[phrase], phrase))


@lru_cache(maxsize=4)  # the passages of one chunk come one after another
def _word_scores(whole: str) -> dict[str, float]:
    """RAKE's degree over frequency, times the root of frequency: company matters, and so does coming back."""
    frequency: Counter[str] = Counter()
    degree: defaultdict[str, int] = defaultdict(int)
    for phrase in _candidates(whole):
        for word in phrase:
            frequency[word.lower()] += 1
            degree[word.lower()] += len(phrase)
    return {word: degree[word] / count**0.5 for word, count in frequency.items()}


def _candidates(text: str) -> Iterator[list[str]]:
    run: list[str] = []
    for word in [*TOKEN.findall(text), "."]:
        if _is_content(word) and len(run) < LONGEST:
            run.append(word)
            continue
        if len(run) > 1 and run[0].islower() and run[0].endswith(("ing", "ed")) and len(run[0]) > 6:
            run = run[1:]  # "requiring minimal changes" is about minimal changes
        if run and any(len(part) > 3 for part in run):
            yield run
        run = [word] if _is_content(word) else []


def _is_content(word: str) -> bool:
    lower = word.lower()
    short = len(word) <= 3 and word == lower and word.isascii()
    adverb = lower.endswith("ly") and len(lower) > 7
    return word[0].isalpha() and lower not in STOP_WORDS and not short and not adverb
