"""The service: an HTTP API and the review page. Called by `extractor serve`; nothing below imports it."""
