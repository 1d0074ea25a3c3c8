"""A picture of a page -> PageContent: straightened, its rules found, its ink recognised.

Runs in worker processes only (loads OpenCV and the OCR engine). Called by extractor.sources.pages.tasks.
"""
