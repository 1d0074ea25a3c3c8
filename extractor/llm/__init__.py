"""Speaking to a model: calls, wire schemas, prompts, the client, budget, journal, batch.

Does not live here: what is asked of which document and what a reply means (extractor.readers).
"""
