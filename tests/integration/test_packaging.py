"""The wheel holds what the program needs, and runs where nothing else is: no checkout, no tools, no OCR.

The quick test builds and looks inside. The long ones (`make package`) install from the package registry, pinned by
constraints.txt, into empty environments.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import urllib.request
import venv
import zipfile
from pathlib import Path

import pymupdf
import pytest

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "fixtures"
REPLIES = ROOT / "eval" / "replies" / "fixtures.jsonl"
#: Not of the program: what Python and editors leave behind.
LEFT_BEHIND = ("__pycache__", ".pyc", ".egg-info")


def _run(*command: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "EXTRACTOR_"))}
    return subprocess.run(  # noqa: S603
        list(map(str, command)), cwd=folder, env=clean | environment, capture_output=True, encoding="utf-8", check=False
    )


def _list_tree(*folders: str) -> set[str]:
    return {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not any(mark in str(path) for mark in LEFT_BEHIND)
    }


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    done = _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, folder=folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


def test_the_wheel_from_the_sdist_holds_the_program_and_its_data(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        held = {name for name in opened.namelist() if ".dist-info/" not in name}
    prompts = {f"extractor/{name}" for name in _list_tree("prompts")}
    assert held == _list_tree("extractor") | prompts
    for part in ("forms/data/2021.toml", "prompts/applications.md", "web/html/base.html", "web/pages/words.toml"):
        assert f"extractor/{part}" in held
    assert any(name.startswith("extractor/store/migrations/versions/0001") for name in held)
    assert any(name.startswith("extractor/web/static/") for name in held)


def test_the_sdist_is_enough_for_demo_and_tests(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as opened:
        held = {name.partition("/")[2] for name in opened.getnames()}
    assert _list_tree("extractor", "prompts", "fixtures", "tests") <= held
    assert {"Makefile", "constraints.txt", "pyproject.toml", "eval/replies/fixtures.jsonl", "docs/cli.md"} <= held
    assert {name for name in held if name.startswith((".", "out/"))} <= {".gitignore", ".containerignore"}


# ---------------------------------------------------------------- installed, far from the checkout


@pytest.fixture(scope="session")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program in an environment with the core alone."""
    folder = tmp_path_factory.mktemp("core")
    venv.create(folder / "env", with_pip=True)
    constraints = ROOT / "constraints.txt"
    done = _run(folder / "env/bin/pip", "install", "-q", "-c", constraints, wheel, folder=folder)
    assert done.returncode == 0, done.stderr
    return folder / "env" / "bin" / "extractor"


@pytest.mark.soak
def test_the_core_reads_text_and_has_no_ocr(program: Path, tmp_path: Path) -> None:
    listed = _run(program.parent / "pip", "list", folder=tmp_path).stdout
    assert not re.search(r"^(opencv|rapidocr|psycopg|distributed|dask)", listed, re.MULTILINE)
    done = _run(program, "run", FIXTURES, "--out", "out", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len((tmp_path / "out" / "records.jsonl").read_text(encoding="utf-8").splitlines()) == 5


@pytest.mark.soak
def test_prompts_come_with_it(program: Path, tmp_path: Path) -> None:
    done = _run(program, "run", FIXTURES, "--replay", REPLIES, "--out", "out", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))
    assert told["fields"]["read_by_model"] > 0


@pytest.mark.soak
def test_a_scan_names_the_extra_and_a_text_layer_is_read(program: Path, tmp_path: Path) -> None:
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_text((72, 72), "政府信息公开工作年度报告", fontname="china-s", fontsize=20)
        document.save(tmp_path / "text.pdf")
        page.get_pixmap(dpi=100).save(tmp_path / "scan.png")
    done = _run(program, "show", "scan.png", folder=tmp_path)
    assert done.returncode == 1
    assert "pip install 'extractor[ocr]'" in done.stderr
    assert "Traceback" not in done.stderr
    done = _run(program, "show", "text.pdf", "--page-image", "page.png", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.soak
def test_it_makes_a_store_and_serves_it(program: Path, tmp_path: Path) -> None:
    done = _run(program, "run", FIXTURES, "--store", "store.sqlite", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    command = [str(program), "serve", "--store", "store.sqlite", "--port", "0"]
    with subprocess.Popen(  # noqa: S603
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8"
    ) as service:
        try:
            assert service.stdout is not None
            address = next(found[0] for line in service.stdout if (found := re.search(r"http://[\w.:]+", line)))
            for path in ("/healthz", "/", "/static/app.css"):
                with urllib.request.urlopen(address + path) as reply:  # noqa: S310 - loopback
                    assert reply.status == 200, path
        finally:
            service.terminate()


@pytest.mark.soak
def test_pipx_installs_it(wheel: Path, tmp_path: Path) -> None:
    places = {name: str(tmp_path / name.lower()) for name in ("PIPX_HOME", "PIPX_BIN_DIR", "PIPX_MAN_DIR")}
    pins = f"--constraint={ROOT / 'constraints.txt'}"
    done = _run(sys.executable, "-m", "pipx", "install", wheel, f"--pip-args={pins}", folder=tmp_path, **places)
    assert done.returncode == 0, done.stderr
    done = _run(tmp_path / "pipx_bin_dir" / "extractor", "run", FIXTURES, "--out", "out", folder=tmp_path)
    assert done.returncode == 0, done.stderr
