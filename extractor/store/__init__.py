"""What is kept: the journal of model calls, and the store of documents, records, queue, reviews and people.

The only package with SQL in it. `rows` and `shapes` have the data that goes in and out and load no database library;
`journal` and `store` load SQLAlchemy, so they are imported where one is opened. Both may stand in one database. Does
not live here: what a call is and when one is made (extractor.llm), what a review does (extractor.review).
"""
