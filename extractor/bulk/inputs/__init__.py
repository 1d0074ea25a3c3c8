"""What a run reads, one module a kind: files and folders, lists of files, archives, lines of JSON; and the manifest.

Each kind is listed once, place by place (scan), and read by place later (reading). Nothing is unpacked to disk. The
kind of a file is told by its name's end and by its content (kinds); what a document is, extractor.sources tells.
"""
