"""What is kept between runs: the journal of model calls. The only package with SQL in it.

`rows` has the data that goes in and out and loads nothing; `journal` and `replay` load SQLAlchemy,
so they are imported where a journal is opened. Does not live here: what a call is and when one is
made (extractor.llm).
"""
