"""The house in order: docs in step, constraints complete, no trace of a machine, layers held."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from extractor.flags import CATALOGUE
from extractor.model import DocumentIdentity, Origin, Record, Status
from extractor.pipeline import process_document
from extractor.sources import load_document

ROOT = Path(__file__).parents[2]
FIXTURES = sorted((ROOT / "fixtures").glob("*.txt"))
TEXT_SUFFIXES = frozenset(
    ("", ".csv", ".html", ".json", ".jsonl", ".md", ".py", ".svg", ".toml", ".txt", ".xml", ".yml", ".yaml")
)
MACHINE_PATH = re.compile(r"(?<![\w.~*])/(?:work|root|Users|home/[\w.-]+|tmp/x)/\S*|(?<!\w)[A-Z]:\\Users\\\S*")
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9-]*)==(?P<version>[0-9][\w.]*)(?: ; (?P<marker>[^#]+))?")


def load_builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_build", ROOT / "docs" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BUILDER = load_builder()


def list_tracked() -> list[Path]:
    """Files that git knows or would add; all files where there is no git."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, encoding="utf-8")  # noqa: S603
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


# ---------------------------------------------------------------- docs


@pytest.mark.parametrize("name", sorted(BUILDER.PAGES))
def test_generated_page_is_in_step(name: str) -> None:
    """docs/NAME is what `make docs` would write now."""
    page = ROOT / "docs" / name
    assert page.is_file(), "run 'make docs'"
    assert page.read_bytes().decode() == BUILDER.PAGES[name](), "run 'make docs' and look at the difference"


def test_every_flag_is_explained_with_its_severity() -> None:
    """docs/flags.md has one line for each code of the catalogue, and no other."""
    text = (ROOT / "docs" / "flags.md").read_text(encoding="utf-8")
    explained = re.findall(r"^\| `([a-z-]+)` \| (\w+) \|", text, re.MULTILINE)
    assert sorted(explained) == sorted((code, finding.severity) for code, finding in CATALOGUE.items())


def test_every_state_and_key_of_the_record_is_explained() -> None:
    """docs/record.md names all states, statuses and keys of a record and of a field."""
    text = (ROOT / "docs" / "record.md").read_text(encoding="utf-8")
    schema = BUILDER.build_schema()
    definitions = json.loads(schema)["$defs"]
    words = {
        *Record.model_fields,
        *definitions["RecordField"]["properties"],
        *definitions["CellState"]["enum"],
        *definitions["Status"]["enum"],
    }
    assert {word for word in words if f"`{word}`" not in text} == set()


def test_example_in_record_guide_is_the_record_of_the_fixture() -> None:
    """The fields printed in docs/record.md are those of the report that they are said to be from."""
    record = json.loads(process_document(load_document(FIXTURES[1])).model_dump_json())
    text = (ROOT / "docs" / "record.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        for field_id, field in json.loads(f"{{{example}}}").items():
            assert record["fields"][field_id] == field


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "eval/README.md", "prompts/README.md"])
def test_links_lead_somewhere(page: str) -> None:
    """Every relative link of a page, and of the guides, names a file."""
    pages = [ROOT / page, *sorted((ROOT / "docs").glob("*.md"))]
    for path in pages:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


# ---------------------------------------------------------------- schema


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json.loads((ROOT / "docs" / "record.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem[:3])
def test_records_of_the_fixtures_are_valid(path: Path, validator: Any) -> None:
    """What leaves the program is what the published schema describes."""
    record = process_document(load_document(path))
    validator.validate(json.loads(record.model_dump_json()))


def test_failed_record_is_valid(validator: Any) -> None:
    """A file that could not even be opened has a valid record, too."""
    record = Record(
        document=DocumentIdentity(id=None, path="gone.html"),
        status=Status.FAILED,
        origins=(Origin(path="gone.html", url="a", site="b", fetched_at="c"),),
    )
    validator.validate(json.loads(record.model_dump_json()))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda record: record.update(status="done"),
        lambda record: record["document"].pop("id"),
        lambda record: record["fields"]["header.title"].pop("decision"),
        lambda record: record["fields"]["header.title"].update(state="zero"),
        lambda record: record["fields"]["header.title"]["spans"][0].update(start="6"),
        lambda record: record["equations"][0].update(result="maybe"),
    ],
)
def test_schema_refuses_what_is_no_record(spoil: Any, validator: Any) -> None:
    """The schema is not so wide that anything passes."""
    record = json.loads(process_document(load_document(FIXTURES[1])).model_dump_json())
    spoil(record)
    assert not validator.is_valid(record)


# ---------------------------------------------------------------- dependencies


def read_pins() -> dict[str, list[str]]:
    """Package -> versions pinned (several where they differ by Python version)."""
    pins: dict[str, list[str]] = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        match = PIN.fullmatch(line)
        assert match, line
        pins.setdefault(match["name"], []).append(match["version"])
    return pins


def test_every_dependency_is_pinned() -> None:
    """Whatever pyproject.toml asks for has a pin, and the pin obeys the lower bound asked for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = read_pins()
    extras = project["optional-dependencies"]
    wanted_all = [*project["dependencies"], *(item for extra in extras.values() for item in extra)]
    for wanted in wanted_all:
        if own := re.fullmatch(r"extractor\[([a-z,]+)\]", wanted):
            assert set(own[1].split(",")) <= set(extras), wanted
            continue
        match = re.fullmatch(r"([A-Za-z0-9-]+)(?:\[[a-z]+\])?>=([0-9.]+)(?:,.*)?", wanted)
        assert match, wanted
        name, floor = match[1].lower(), [int(part) for part in match[2].split(".")]
        assert name in pins, f"{name}: run 'make constraints'"
        for version in pins[name]:
            assert [int(part) for part in version.split(".")[: len(floor)]] >= floor, f"{name}: run 'make constraints'"


def test_constraints_name_no_place() -> None:
    """Pins only: no index, no address, no path, no option."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*-|\s@\s|(?:^|\s)/", text, re.MULTILINE)


def test_package_imports_only_what_it_declares() -> None:
    """Every library that the package imports is one of its own dependencies; those of an extra stay in their place."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = _module_names(project["dependencies"]) | set(sys.stdlib_module_names) | {"extractor"}
    extras = {name: _module_names(wanted) for name, wanted in project["optional-dependencies"].items()}
    for path in sorted((ROOT / "extractor").rglob("*.py")):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        imported = {name.partition(".")[0] for node in nodes for name in _imported_names(node)}
        allowed = declared.union(*(extras[_PLACES[part]] for part in path.parts if part in _PLACES))
        assert imported <= allowed, path


# Which folder of the package may import what an extra brings.
_PLACES = {"cluster": "cluster", "evaluation": "evaluation", "scan": "ocr", "telemetry": "otel"}


def _module_names(wanted: list[str]) -> set[str]:
    names = {re.split(r"[^a-z0-9-]", name.lower())[0].replace("-", "_") for name in wanted}
    modules = {
        "argon2_cffi": "argon2",
        "opentelemetry_sdk": "opentelemetry",
        "scikit_learn": "sklearn",
        "opencv_python_headless": "cv2",
        "pillow": "PIL",
    }
    return {modules.get(name, name) for name in names}


def _imported_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []


# ---------------------------------------------------------------- files and modules


def test_no_file_names_a_machine() -> None:
    """No text file of the checkout holds a path of the machine on which it was written."""
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in list_tracked()
        if path.suffix in TEXT_SUFFIXES and path != Path(__file__).resolve()
        for match in MACHINE_PATH.finditer(path.read_bytes().decode("utf-8", "replace"))
    ]
    assert found == []


def test_every_public_module_says_what_it_is() -> None:
    """Each module of the package opens with a docstring."""
    silent = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "extractor").rglob("*.py"))
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_imports_go_downward() -> None:
    """The import contract of pyproject.toml holds."""
    program = Path(sys.executable).with_name("lint-imports")
    command = [str(program), "--no-cache"]
    result = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)  # noqa: S603
    assert result.returncode == 0, result.stdout + result.stderr
