"""Write the re-set documents anew, or with --check only tell whether they are in step: python -m eval.reset."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from eval.reset.documents import make_documents
from eval.reset.files import list_files, list_stale, write_files

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "eval" / "gold" / "re-set"
#: Real reports that lie beside a checkout.
CORPUS = ROOT.parent / "shared" / "corpus"


def main() -> int:
    """Write, or with --check compare; 1 when something is out of step, 2 where there is no corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare without writing")
    arguments = parser.parse_args()
    if not (CORPUS / "labels").is_dir():
        print("the corpus of real reports is not beside this checkout; the files stay as they are", file=sys.stderr)
        return 2
    files = list_files(make_documents(CORPUS))
    if not arguments.check:
        write_files(FOLDER, files)
        return 0
    stale = list(list_stale(FOLDER, files))
    for problem in stale:
        print(f"eval/gold/re-set/{problem}. Run 'python -m eval.reset'.", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
