"""Gopher's rules for web text (Rae et al. 2021, "Scaling Language Models", table A1): thresholds.

Quality: 50 to 100,000 words; mean word length 3 to 10 characters; # or ellipsis per word at most 0.1; at most 90 % of
the lines begin with a bullet; at most 30 % end in an ellipsis; at least 80 % of the words hold a letter; at least two
of the words the, be, to, of, and, that, have, with.

Repetition, as shares: duplicate lines 0.30, duplicate paragraphs 0.30, characters in duplicate lines 0.20 and
paragraphs 0.20; characters in the most frequent 2-, 3- and 4-gram 0.20, 0.18, 0.16; characters in duplicate 5- to
10-grams 0.15, 0.14, 0.13, 0.12, 0.11, 0.10.

Where the paper is silent, datatrove 0.10 decides, since it is what others compare with: words are tokens, punctuation
marks among them; only `•` and `-` are bullets; stop words count as written; empty lines count; a duplicate is any copy
but the first, and overlapping copies count once; the most frequent n-gram counts even if it occurs once. N-grams are
counted in the first 100,000 tokens. On the same tokens the verdicts are the same (tests/bench/compare_datatrove.py).
"""

WORDS = (50, 100_000)
WORD_LENGTH = (3, 10)
SYMBOLS, BULLET_LINES, ELLIPSIS_LINES, WITH_LETTER, STOP_WORDS = 0.1, 0.9, 0.3, 0.8, 2
DUPLICATE_LINES = DUPLICATE_PARAGRAPHS = 0.30
DUPLICATE_LINE_CHARACTERS = DUPLICATE_PARAGRAPH_CHARACTERS = 0.20
TOP_NGRAMS = {2: 0.20, 3: 0.18, 4: 0.16}
DUPLICATE_NGRAMS = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}
