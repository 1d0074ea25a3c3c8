"""Worker processes that hang, die, use too much, or lose their parent harm nobody else."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from extractor.settings import Settings
from extractor.sources.pages.workers import TaskFailed, Workers, close_workers, share_workers

ROOT = Path(__file__).parents[4]
#: Far more than anything here takes; what hangs should fail and not hang.
PATIENCE_S = 60
#: A hang in C that never lets go of the interpreter: no handler and no other thread of the worker runs.
HANG = "import ctypes; ctypes.PyDLL(None).sleep(1000)"


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    found = Workers(2, 600)
    yield found
    found.close()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits for its parent to notice does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


#: A library that starts more threads than there is room for.
THREADS = """
import threading, time
threading.stack_size(2**28)
for _ in range(9):
    threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
"""
ONNX = "raise RuntimeError('env.cc:327 pthread_create failed, error code: 12 error msg: Cannot allocate memory')"


def test_results_come_from_other_processes(workers: Workers) -> None:
    tasks = [workers.submit(divmod, number, 7, timeout_s=PATIENCE_S) for number in range(20)]
    assert [workers.wait(task) for task in tasks] == [divmod(number, 7) for number in range(20)]
    assert workers.wait(workers.submit(os.getpid, timeout_s=PATIENCE_S)) != os.getpid()


def test_one_that_hangs_is_killed_and_the_others_go_on(workers: Workers) -> None:
    hanging = workers.submit(exec, HANG, timeout_s=1)
    others = [workers.submit(divmod, number, 7, timeout_s=PATIENCE_S) for number in range(20)]
    assert [workers.wait(task) for task in others] == [divmod(number, 7) for number in range(20)]
    with pytest.raises(TaskFailed) as caught:
        workers.wait(hanging)
    assert "longer than 1 s" in caught.value.problem
    assert "EXTRACTOR_PAGE_TIMEOUT_S" in caught.value.remedy


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [("import os; os._exit(3)", "3"), ("import ctypes; ctypes.string_at(0)", "-11"), ("import os; os.abort()", "-6")],
    ids=["exit", "crash in C", "abort"],
)
def test_one_that_dies_fails_alone(workers: Workers, code: str, exit_code: str) -> None:
    dying = workers.submit(exec, code, timeout_s=PATIENCE_S)
    others = [workers.submit(divmod, number, 7, timeout_s=PATIENCE_S) for number in range(6)]
    with pytest.raises(TaskFailed) as caught:
        workers.wait(dying)
    assert f"ended (code {exit_code})" in caught.value.problem
    assert dying.attempts == 2
    assert [workers.wait(task) for task in others] == [divmod(number, 7) for number in range(6)]


def test_a_task_whose_worker_died_by_accident_is_done_by_another(workers: Workers, tmp_path: Path) -> None:
    mark = tmp_path / "been here"
    code = f"import os, pathlib; p = pathlib.Path({str(mark)!r}); p.exists() or (p.touch(), os._exit(9))"
    workers.wait(workers.submit(exec, code, timeout_s=PATIENCE_S))
    assert mark.exists()


def test_idle_workers_that_are_killed_are_replaced(workers: Workers) -> None:
    pid = workers.wait(workers.submit(os.getpid, timeout_s=PATIENCE_S))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(pid))
    assert workers.wait(workers.submit(divmod, 9, 7, timeout_s=PATIENCE_S)) == (1, 2)


def test_memory_is_bounded(workers: Workers) -> None:
    with pytest.raises(TaskFailed, match="more memory than a page may take"):
        workers.wait(workers.submit(exec, "bytes(2_000_000_000)", timeout_s=PATIENCE_S))
    assert workers.wait(workers.submit(divmod, 9, 7, timeout_s=PATIENCE_S)) == (1, 2)


def test_an_exception_that_cannot_be_pickled_does_no_harm(workers: Workers) -> None:
    code = "class Odd(Exception):\n def __init__(self, a, b): super().__init__(a)\nraise Odd('as it was', 2)"
    with pytest.raises(TaskFailed, match="as it was"):
        workers.wait(workers.submit(exec, code, timeout_s=PATIENCE_S))
    assert workers.wait(workers.submit(divmod, 9, 7, timeout_s=PATIENCE_S)) == (1, 2)


def test_a_worker_has_no_output(workers: Workers, capfd: pytest.CaptureFixture[str]) -> None:
    workers.wait(workers.submit(os.system, "echo spoilt; echo spoilt >&2", timeout_s=PATIENCE_S))
    assert capfd.readouterr() == ("", "")


def test_a_worker_never_hears_of_an_interrupt(workers: Workers) -> None:
    """From its first moment, when Python would still answer with a traceback."""
    blocked = workers.wait(workers.submit(signal.pthread_sigmask, signal.SIG_BLOCK, (), timeout_s=PATIENCE_S))
    assert signal.SIGINT in blocked


def test_what_is_withdrawn_is_not_begun_and_what_is_begun_is_killed(workers: Workers, tmp_path: Path) -> None:
    touch = "import pathlib, time; pathlib.Path({!r}).touch(); time.sleep(1000)"
    tasks = [workers.submit(exec, touch.format(str(tmp_path / str(n))), timeout_s=1000) for n in range(40)]
    wait_until(lambda: len(list(tmp_path.iterdir())) >= 2)
    for task in reversed(tasks):
        workers.cancel(task)
    for task in tasks:
        with pytest.raises(CancelledError):
            workers.wait(task)
    assert workers.wait(workers.submit(divmod, 9, 7, timeout_s=PATIENCE_S)) == (1, 2)
    assert len(list(tmp_path.iterdir())) <= 4  # two at work, and as many on their way to a worker


@pytest.mark.parametrize("script", ["bytearray(10**9)", THREADS, ONNX], ids=["array", "threads", "in C"])
def test_memory_that_ends_outside_the_files_own_reader_is_told_as_such(workers: Workers, script: str) -> None:
    with pytest.raises(TaskFailed) as caught:
        workers.wait(workers.submit(exec, script, timeout_s=PATIENCE_S))
    assert caught.value.problem == "it needs more memory than a page may take"
    assert "EXTRACTOR_PAGE_MEMORY_MB" in caught.value.remedy
    with pytest.raises(TaskFailed, match=r"division or modulo by zero.*maintainers"):
        workers.wait(workers.submit(divmod, 1, 0, timeout_s=PATIENCE_S))


def test_all_documents_share_the_workers_until_they_are_closed() -> None:
    settings = Settings(page_workers=1, page_memory_mb=801)
    workers = share_workers(settings)
    assert share_workers(Settings(page_workers=1, page_memory_mb=801)) is workers
    waiting = workers.submit(time.sleep, 1000, timeout_s=1000)
    pid = workers.wait(share_workers(Settings(page_workers=2, page_memory_mb=801)).submit(os.getpid, timeout_s=60))
    close_workers()
    assert not is_alive(pid)
    assert waiting.future.cancelled()
    assert [process.name for process in multiprocessing.active_children() if process.pid == pid] == []
    assert share_workers(settings) is not workers


def test_workers_are_renewed_before_they_grow_old() -> None:
    workers = Workers(1, 600)
    tasks = [workers.submit(os.getpid, timeout_s=PATIENCE_S) for _ in range(201)]
    assert len({workers.wait(task) for task in tasks}) == 2
    workers.close()


# ---------------------------------------------------------------- without their parent

PARENT = """
import multiprocessing, sys, time
from extractor.sources.pages.workers import Workers
workers = Workers(2, 600)
tasks = [workers.submit(exec, sys.argv[1], timeout_s=1000) for _ in range(4)]
while not all(task.inner and task.inner.running() for task in tasks[:2]):
    time.sleep(0.01)
print(*[process.pid for process in multiprocessing.active_children()], flush=True)
workers.wait(tasks[0])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_no_worker_outlives_its_parent(number: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT, HANG]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen(  # noqa: S603
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2
    assert all(map(is_alive, pids))
    if number is signal.SIGINT:
        os.killpg(parent.pid, number)  # as a terminal does
    else:
        parent.send_signal(number)
    _, said = parent.communicate(timeout=PATIENCE_S)
    wait_until(lambda: not any(map(is_alive, pids)))
    assert said.count("Traceback") == (number is signal.SIGINT)  # the parent's own; a worker never hears of it


@pytest.mark.parametrize(
    ("what", "heavy"),
    [
        ("process_document(load_document(path))", ("pymupdf", "cv2", "rapidocr", "onnxruntime", "pebble", "numpy")),
        (  # pyarrow, which writes the outputs, loads numpy; documents are read in other processes
            "run_documents(open_plan([path], None, settings=Settings(), on_progress=id), Path('out'), Settings(), id)",
            ("pymupdf", "cv2", "rapidocr", "onnxruntime"),
        ),
    ],
    ids=["one document", "run"],
)
def test_text_loads_nothing_of_this(what: str, heavy: tuple[str, ...], tmp_path: Path) -> None:
    setup = "import sys; from pathlib import Path; path = sys.argv[1]"
    setup += "; from extractor import load_document, process_document"
    if "run_documents" in what:
        setup += (
            "; from extractor.bulk.plan import open_plan; from extractor.bulk.run import run_documents"
            "; from extractor.settings import Settings"
        )
    code = f"{setup}; {what}; print([name for name in {heavy} if name in sys.modules])"
    command = [sys.executable, "-c", code, str(min((ROOT / "fixtures").glob("*.txt")))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(  # noqa: S603
        command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
