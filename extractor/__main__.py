"""`python -m extractor`: the command line without an installed script."""

from extractor.cli import main

if __name__ == "__main__":
    main()
