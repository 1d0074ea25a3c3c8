"""Many documents: what to read (plan) and reading it (run).

Nothing here knows the form or writes a file itself; see extractor.export for the outputs.
"""
