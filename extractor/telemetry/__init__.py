"""What a run tells while it works: traces and metrics for a collector, lines for a log.

Whoever does the work tells what happened (`watching.tell` with one of `events`); who listens is chosen by the settings,
once a run (`watching.watch_run`). Off by default: then nothing is kept, and no library is loaded.

What an event may hold: names from the program, ids, numbers. No text of a document, no prompt, no reply, no path, no
key; so everything in an event may leave the machine. What it all means is in docs/observability.md.
"""
