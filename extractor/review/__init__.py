"""Where flagged fields meet a person: what is asked, in which order, of whom, and what an answer does.

Lives here: the policy. Does not live here: SQL (extractor.store), pages and routes (extractor.web), the checks that an
answer is put through (extractor.pipeline.apply_rulings). Called by bulk, web and evaluation.
"""
