"""Re-set documents: the figures of real reports, set into the official form anew, with running text of our own.

Called as `python -m eval.reset`. What the documents are for: eval/gold/re-set/README.md.
"""
