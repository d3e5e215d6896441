"""Rules for web text after Gopher: thresholds.

C4 (Raffel et al. 2020, section 2.2): no "lorem ipsum", no curly bracket and at least 5 sentences (the code published
with T5; the paper's text says 3), each in the lines that C4's line rules keep: at least 3 words, none of more than
1,000 characters, an end in . ? ! or a straight quotation mark but not in three full stops, no "javascript", none of six
phrases about terms of use and cookies; notes such as [1] and [edit] are read over. The text itself stays as it is: to
take such lines out is cleaning.

FineWeb (Penedo et al. 2024, section 3.6, and datatrove): at least 12 % of the lines end in punctuation; at most 67 % of
the lines have 30 characters or fewer; at most 1 % of the characters are in duplicate lines; at most 0.3 line ends per
token.
"""

SENTENCES = 5
ENDED_LINES, SHORT_LINES, REPEATED, LINE_ENDS = 0.12, 0.67, 0.01, 0.3
