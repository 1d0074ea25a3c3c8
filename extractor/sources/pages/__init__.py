"""Files with pages (PDFs, pictures, scans) -> linear text, grids, and where everything stands on paper.

    file -> pages, each in a worker process      workers, tasks, raster
    page with a good text layer -> PageContent   text_layer, vector_tables
    page of ink -> PageContent                   scan
    PageContents -> Linear                       compose

Called by extractor.sources. Everything that loads pymupdf, OpenCV or the OCR engine runs in a worker process that can
be killed; the parent process imports none of them.
"""
