"""What an office program really exports: a filled form saved as web page, text, old Word and Rich Text."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import flatten
import pytest

from extractor import load_document, process_document

KINDS = ("html", "txt:Text (encoded):UTF8", "doc", "rtf")


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a 2021 and a 2019 form in every kind, written by LibreOffice."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed (Debian: libreoffice-writer-nogui)")
    folder = tmp_path_factory.mktemp("exports")
    for generation in ("2021", "2019"):
        printed = flatten.as_printed(flatten.make_values(generation, 4))
        (folder / f"{generation}.docx").write_bytes(flatten.word(flatten.build_tables(generation, printed)))
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    for kind in KINDS:
        files = [str(path) for path in sorted(folder.glob("*.docx"))]
        command = [program, profile, "--headless", "--convert-to", kind, "--outdir", str(folder), *files]
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 - the program found above
    return folder


@pytest.mark.parametrize("kind", ["html", "txt", "doc", "rtf"])
@pytest.mark.parametrize("generation", ["2021", "2019"])
def test_every_cell_of_an_export_is_read_and_accepted(exports: Path, generation: str, kind: str) -> None:
    printed = flatten.as_printed(flatten.make_values(generation, 4))
    record = process_document(load_document(exports / f"{generation}.{kind}"))
    said = {name: (str(record.fields[name].value), record.fields[name].decision) for name in printed}
    assert said == {name: (text, "accepted") for name, text in printed.items()}
    assert record.status == "succeeded"
