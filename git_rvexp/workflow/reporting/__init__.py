"""Reports: one self-contained page of an experiment, or of all, and the proof that a page says what the record says.

`source` is what a page carries of the record, `experiment` and `history` make plain values of it, `template` makes the
page, `proof` takes a page apart again. Time is an input everywhere, so that the same source makes the same bytes.
"""
